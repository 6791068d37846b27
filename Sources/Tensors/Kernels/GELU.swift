// The Gaussian error linear unit (Hendrycks and Gimpel 2016) in its exact form, x P(x), where P is
// the standard normal distribution function and p its density. Forward computes both, so it also
// stores the derivative P(x) + x p(x); backward is then one multiplication.

extension Tensor {
  /// Writes gelu(x + bias) of each row into `output`, and replaces this tensor by the derivative.
  ///
  /// This tensor and `output` are (rows, columns), `bias` is (columns); `output` must not be this
  /// tensor. The derivative is taken at x + bias.
  package func gelu(bias: Tensor, into output: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.gelu, start) }
    precondition(
      bias.columns == columns && output.rows == rows && output.columns == columns, "shapes differ")
    switch output {
    case .float32(let tensor): geluRows(bias, into: tensor)
    case .bfloat16(let tensor): geluRows(bias, into: tensor)
    }
  }

  private func geluRows(_ bias: Tensor, into output: some OperandElements) {
    for r in 0..<rows {
      let source = row(r)
      forEachVector(columns) { i, tail in
        let x = source.load(at: i, tail: tail) + bias.base.load(at: i, tail: tail)
        storeGELU(x, row: r, at: i, tail: tail, into: output)
      }
    }
  }

  /// Writes gelu(x) to a place of `output`, and the derivative at x to the same place of this
  /// tensor.
  @inline(__always)
  func storeGELU(
    _ x: Vector, row r: Int, at i: Int, tail: Int?, into output: some OperandElements
  ) {
    let (cumulative, density) = normalDistribution(x)
    output.store(x * cumulative, row: r, at: i, tail: tail)
    row(r).store(x.times(density, plus: cumulative), at: i, tail: tail)
  }

  /// Writes gelu(x + bias) of each row into `output`, otherwise as for an operand.
  package func gelu(bias: Tensor, into output: Tensor) {
    gelu(bias: bias, into: .float32(output))
  }

  /// Turns the gradient of gelu's output into the gradient of its input, in this tensor.
  package func geluBackward(derivative: Tensor, biasGradient: Tensor) {
    geluBackward(derivative: derivative, biasGradient: biasGradient, into: .float32(self))
  }

  /// Turns the gradient of gelu's output, in this tensor, into the gradient of its input.
  ///
  /// `derivative` is the tensor that `gelu` left behind. The sum of the rows of the result, before
  /// it is rounded, is added to `biasGradient` (columns). `output` (rows, columns) may be in this
  /// tensor's memory, see `operand(in:)`.
  package func geluBackward(derivative: Tensor, biasGradient: Tensor, into output: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.gelu, start) }
    precondition(
      derivative.rows == rows && derivative.columns == columns && biasGradient.columns == columns
        && output.rows == rows && output.columns == columns, "shapes differ")
    switch output {
    case .float32(let tensor): geluRowsBackward(derivative, biasGradient, into: tensor)
    case .bfloat16(let tensor): geluRowsBackward(derivative, biasGradient, into: tensor)
    }
  }

  private func geluRowsBackward(
    _ derivative: Tensor, _ biasGradient: Tensor, into output: some OperandElements
  ) {
    for r in 0..<rows {
      let gradient = row(r)
      forEachVector(columns) { i, tail in
        derivative.storeGELUGradient(
          gradient.load(at: i, tail: tail), row: r, at: i, tail: tail, biasGradient.base,
          into: output)
      }
    }
  }

  /// Writes `gradient` times the elements of this tensor, the derivative of GELU, to a place of
  /// `output`, and adds it to the gradient of the bias.
  @inline(__always)
  func storeGELUGradient(
    _ gradient: Vector, row r: Int, at i: Int, tail: Int?, _ bias: UnsafeMutablePointer<Float>,
    into output: some OperandElements
  ) {
    let value = gradient * row(r).load(at: i, tail: tail)
    output.store(value, row: r, at: i, tail: tail)
    bias.store(bias.load(at: i, tail: tail) + value, at: i, tail: tail)
  }
}
