// Products that are followed by GELU, and products that are the gradient of GELU's output.
//
// A rounded product hands its sums over while they are in the caches. GELU takes them from there,
// so neither they nor the gradient of GELU's output are ever written to memory. Float32 products
// write their sums, so in float32 GELU is a sweep over them.

extension Tensor {
  /// Writes gelu(a b + bias) into `output`, and the derivative of GELU at a b + bias into this
  /// tensor.
  ///
  /// Both are (M, N), and `bias` is (N); `output` must not be this tensor. Otherwise as `multiply`.
  package func multiplyGELU(_ a: Factor, _ b: RightFactor, bias: Tensor, into output: Operand) {
    precondition(
      a.rows == rows && b.columns == columns && output.rows == rows && output.columns == columns
        && bias.columns == columns, "shapes differ")
    switch (a.operand, output) {
    case (.float32, _):
      multiply(a, b)
      gelu(bias: bias, into: output)
    case (.bfloat16, .float32(let tensor)):
      storeGELU(of: RoundedProduct(a, b), bias, into: tensor)
    case (.bfloat16, .bfloat16(let tensor)):
      storeGELU(of: RoundedProduct(a, b), bias, into: tensor)
    }
  }

  private func storeGELU(
    of product: RoundedProduct, _ bias: Tensor, into output: some OperandElements
  ) {
    product.compute { r, i, tail, sum in
      storeGELU(sum + bias.base.load(at: i, tail: tail), row: r, at: i, tail: tail, into: output)
    }
  }
}

extension Operand {
  /// Writes a b times `derivative`, element by element: the gradient of GELU's input if a b is that
  /// of its output.
  ///
  /// This operand and `derivative` are (M, N). The sum of the rows, before they are rounded, is
  /// added to `biasGradient` (N).
  package func multiplyGELUBackward(
    _ a: Factor, _ b: RightFactor, derivative: Tensor, biasGradient: Tensor
  ) {
    precondition(
      a.rows == rows && b.columns == columns && derivative.rows == rows
        && derivative.columns == columns && biasGradient.columns == columns, "shapes differ")
    switch self {
    case .float32(let tensor):
      tensor.multiply(a, b)
      tensor.geluBackward(derivative: derivative, biasGradient: biasGradient)
    case .bfloat16(let tensor):
      RoundedProduct(a, b).compute { r, i, tail, sum in
        derivative.storeGELUGradient(
          sum, row: r, at: i, tail: tail, biasGradient.base, into: tensor)
      }
    }
  }
}
