// Layer normalization (Ba, Kiros and Hinton 2016), fused with the operations before it in a
// post-norm encoder: bias, dropout and the residual sum.
//
//     z = residual + dropout(branch + bias)
//     normalized = (z - mean(z)) / sqrt(variance(z) + epsilon)
//     output = normalized * scale + shift
//
// Mean and variance are those of a row. The variance is computed from the deviations, in a second
// pass, because mean(z^2) - mean(z)^2 cancels in float. Forward keeps what backward needs:
// `normalized` and 1 / sqrt(variance + epsilon), PyTorch's rstd.
//
// Gradients: those of scale, shift and bias are added to; the gradient of the branch is written;
// the gradient of the output is replaced by the gradient of z, which is also the residual's.

/// The other operands of z = residual + dropout(branch + bias); nil omits an operation.
package struct BranchSum {
  package let bias: Tensor?  // (columns)
  package let dropout: DropoutStream?
  package let residual: Tensor?  // (rows, columns)

  package init(bias: Tensor?, dropout: DropoutStream?, residual: Tensor?) {
    (self.bias, self.dropout, self.residual) = (bias, dropout, residual)
  }
}

/// The parameters of layer normalization: output = normalized * scale + shift.
package struct NormalizationParameters {
  package let scale: Tensor  // (columns)
  package let shift: Tensor  // (columns)
  /// Added to the variance.
  package let epsilon: Float

  package init(scale: Tensor, shift: Tensor, epsilon: Float) {
    (self.scale, self.shift, self.epsilon) = (scale, shift, epsilon)
  }
}

/// The parameter gradients to which the backward pass adds; all (columns).
package struct NormalizationGradients {
  package let scale: Tensor
  package let shift: Tensor
  /// The gradient of the branch's bias, computed together with the branch gradient; nil if not
  /// needed.
  package let bias: Tensor?

  package init(scale: Tensor, shift: Tensor, bias: Tensor?) {
    (self.scale, self.shift, self.bias) = (scale, shift, bias)
  }
}

extension Tensor {
  /// Computes z of this tensor, the branch, and replaces each row by its normalized z.
  ///
  /// Also writes normalized * scale + shift into `output`. Normalized rows of equal numbers are
  /// zeros; a row with NaN or infinity becomes NaN.
  ///
  /// - Parameters:
  ///   - sum: the bias, dropout and residual of z.
  ///   - parameters: scale, shift and epsilon.
  ///   - inverseDeviations: receives 1 / sqrt(variance + epsilon) of each row.
  ///   - output: (rows, columns); may be the residual, but not the branch.
  ///   - operand: receives the output as products read it; in float32 it is `output` itself.
  package func normalizeRows(
    _ sum: BranchSum, _ parameters: NormalizationParameters,
    inverseDeviations: UnsafeMutablePointer<Float>, into output: Tensor, _ operand: Operand
  ) {
    let start = Profile.begin()
    defer { Profile.end(.normalization, start) }
    let (bias, dropout, residual) = (sum.bias, sum.dropout, sum.residual)
    let (scale, shift, epsilon) = (parameters.scale, parameters.shift, parameters.epsilon)
    precondition(output.columns == columns && scale.columns == columns, "shapes differ")
    withDropoutFactors(width: columns) { factors in
      for r in 0..<rows {
        dropout?.factors(row: r, width: columns, into: factors)
        let row = row(r)
        let sum = sumIntoRow(row, bias: bias, factors: factors, residual: residual?.row(r))
        let mean = sum / Float(columns)
        let variance = sumOfSquaredDeviations(row, mean: mean) / Float(columns)
        let inverseDeviation = 1 / (variance + epsilon).squareRoot()
        inverseDeviations[r] = inverseDeviation
        let result = output.row(r)
        forEachVector(columns) { i, tail in
          let normalized = (row.load(at: i, tail: tail) - mean) * inverseDeviation
          row.store(normalized, at: i, tail: tail)
          let y = normalized.times(
            scale.base.load(at: i, tail: tail), plus: shift.base.load(at: i, tail: tail))
          result.store(y, at: i, tail: tail)
        }
        if case .bfloat16(let rounded) = operand {
          roundFloats(result, count: columns, into: rounded.row(r))
        }
      }
    }
  }

  /// row = residual + (row + bias) * factors; returns the sum of the new row.
  @inline(__always)
  private func sumIntoRow(
    _ row: UnsafeMutablePointer<Float>, bias: Tensor?, factors: UnsafeMutablePointer<Float>,
    residual: UnsafeMutablePointer<Float>?
  ) -> Float {
    var total = Vector(repeating: 0)
    forEachVector(columns) { i, tail in
      var z = row.load(at: i, tail: tail)
      if let bias { z += bias.base.load(at: i, tail: tail) }
      z *= factors.vector(at: i)
      if let residual { z += residual.load(at: i, tail: tail) }
      row.store(z, at: i, tail: tail)
      total += z
    }
    return total.orderedSum
  }

  /// The sum of (z - mean)^2 of a row; the tail is filled with the mean, which adds zeros.
  @inline(__always)
  private func sumOfSquaredDeviations(_ row: UnsafeMutablePointer<Float>, mean: Float) -> Float {
    var total = Vector(repeating: 0)
    forEachVector(columns) { i, tail in
      let deviation = row.load(at: i, tail: tail, neutral: mean) - mean
      total = deviation.times(deviation, plus: total)
    }
    return total.orderedSum
  }

  /// Replaces the gradient of the output of `normalizeRows`, in this tensor, by the gradient of z.
  ///
  /// With g = outputGradient * scale and n = normalized, the gradient of z is
  /// (g - mean(g) - n * mean(g n)) / sqrt(variance + epsilon).
  ///
  /// - Parameters:
  ///   - normalized: (rows, columns), the normalized rows of the forward pass.
  ///   - inverseDeviations: 1 / sqrt(variance + epsilon) of each row, from the forward pass.
  ///   - scale: (columns), as in the forward pass.
  ///   - dropout: as in the forward pass.
  ///   - gradients: the parameter gradients, which are added to.
  ///   - branchGradient: receives the gradient of the branch, which is the gradient of z times the
  ///     dropout factors; nil if not needed. The bias gradient is its sum before rounding.
  package func normalizeRowsBackward(
    normalized: Tensor, inverseDeviations: UnsafeMutablePointer<Float>, scale: Tensor,
    dropout: DropoutStream?, _ gradients: NormalizationGradients, branchGradient: Operand?
  ) {
    let start = Profile.begin()
    defer { Profile.end(.normalization, start) }
    let (scaleGradient, shiftGradient) = (gradients.scale, gradients.shift)
    let biasGradient = gradients.bias
    precondition(
      normalized.rows == rows && normalized.columns == columns && scale.columns == columns
        && scaleGradient.columns == columns && shiftGradient.columns == columns, "shapes differ")
    if let bias = biasGradient { precondition(bias.columns == columns, "shapes differ") }
    if let branch = branchGradient {
      precondition(branch.rows == rows && branch.columns == columns, "shapes differ")
    }
    withDropoutFactors(width: columns) { factors in
      for r in 0..<rows {
        let gradient = row(r)
        zGradient(
          gradient, normalized: normalized.row(r), inverseDeviation: inverseDeviations[r],
          scale: scale.base, scaleGradient: scaleGradient.base, shiftGradient: shiftGradient.base)
        guard let branchGradient else { continue }
        dropout?.factors(row: r, width: columns, into: factors)
        switch branchGradient {
        case .float32(let branch): storeBranch(r, factors, biasGradient, into: branch)
        case .bfloat16(let branch): storeBranch(r, factors, biasGradient, into: branch)
        }
      }
    }
  }

  /// Writes row `index` of this tensor times `factors`, and adds it to the bias gradient.
  @inline(__always)
  private func storeBranch(
    _ index: Int, _ factors: UnsafeMutablePointer<Float>, _ biasGradient: Tensor?,
    into branch: some OperandElements
  ) {
    let gradient = row(index)
    forEachVector(columns) { i, tail in
      let value = gradient.load(at: i, tail: tail) * factors.vector(at: i)
      branch.store(value, row: index, at: i, tail: tail)
      if let bias = biasGradient?.base {
        bias.store(bias.load(at: i, tail: tail) + value, at: i, tail: tail)
      }
    }
  }

  /// Replaces one row of the output gradient by the gradient of z, and adds to those of scale and
  /// shift.
  @inline(__always)
  private func zGradient(
    _ gradient: UnsafeMutablePointer<Float>, normalized: UnsafeMutablePointer<Float>,
    inverseDeviation: Float, scale: UnsafeMutablePointer<Float>,
    scaleGradient: UnsafeMutablePointer<Float>, shiftGradient: UnsafeMutablePointer<Float>
  ) {
    var sum = Vector(repeating: 0)
    var product = Vector(repeating: 0)
    forEachVector(columns) { i, tail in
      let output = gradient.load(at: i, tail: tail)
      let n = normalized.load(at: i, tail: tail)
      let g = output * scale.load(at: i, tail: tail)
      sum += g
      product = g.times(n, plus: product)
      scaleGradient.store(
        output.times(n, plus: scaleGradient.load(at: i, tail: tail)), at: i, tail: tail)
      shiftGradient.store(output + shiftGradient.load(at: i, tail: tail), at: i, tail: tail)
    }
    let mean = sum.orderedSum / Float(columns)
    let meanProduct = product.orderedSum / Float(columns)
    forEachVector(columns) { i, tail in
      let g = gradient.load(at: i, tail: tail) * scale.load(at: i, tail: tail)
      let n = normalized.load(at: i, tail: tail)
      gradient.store((g - mean - n * meanProduct) * inverseDeviation, at: i, tail: tail)
    }
  }
}
