// The softmax of attention: rows of scores become rows of probabilities.

extension Tensor {
  /// Writes the softmax of every row into `output`, and overwrites this tensor.
  ///
  /// The largest entry is subtracted first, so that exponentials do not overflow. A NaN makes its
  /// row NaN.
  package func softmaxRows(into output: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.softmax, start) }
    precondition(output.rows == rows && output.columns == columns, "shapes differ")
    switch output {
    case .float32(let tensor): softmaxRows(storingIn: tensor)
    case .bfloat16(let tensor): softmaxRows(storingIn: tensor)
    }
  }

  private func softmaxRows(storingIn output: some OperandElements) {
    for r in 0..<rows {
      let row = row(r)
      let largest = largest(of: row)
      var total = Vector(repeating: 0)
      forEachVector(columns) { i, tail in
        var power = exponential(row.load(at: i, tail: tail) - largest)
        if let tail { power.clearLanes(from: tail) }
        row.store(power, at: i, tail: tail)
        total += power
      }
      let inverse = 1 / total.orderedSum
      forEachVector(columns) { i, tail in
        output.store(row.load(at: i, tail: tail) * inverse, row: r, at: i, tail: tail)
      }
    }
  }

  /// Turns the gradient of the probabilities after dropout, in this tensor, into that of the
  /// scores.
  ///
  /// All matrices are (rows, columns). Let g be the gradient times the scale of dropout, p the
  /// probabilities, f a factor of 1 or 0 for kept and dropped ones, and k = p f the `kept`
  /// probabilities. The gradient of p is g f, hence that of the scores is p (g f - sum(p g f)) =
  /// g k - p sum(g k). `output` may be in this tensor's memory, see `operand(in:)`.
  package func softmaxRowsBackward(probabilities: Operand, kept: Operand, into output: Operand) {
    let start = Profile.begin()
    defer { Profile.end(.softmax, start) }
    precondition(
      probabilities.rows == rows && probabilities.columns == columns && kept.rows == rows
        && kept.columns == columns && output.rows == rows && output.columns == columns,
      "shapes differ")
    switch (probabilities, kept, output) {
    case (.float32(let probabilities), .float32(let kept), .float32(let output)):
      softmaxRowsBackward(probabilities, kept, storingIn: output)
    case (.bfloat16(let probabilities), .bfloat16(let kept), .bfloat16(let output)):
      softmaxRowsBackward(probabilities, kept, storingIn: output)
    default: preconditionFailure("operands of two arithmetics")
    }
  }

  private func softmaxRowsBackward<Elements: OperandElements>(
    _ probabilities: Elements, _ kept: Elements, storingIn output: Elements
  ) {
    for r in 0..<rows {
      let gradient = row(r)
      var total = Vector(repeating: 0)
      forEachVector(columns) { i, tail in
        let product = gradient.load(at: i, tail: tail) * kept.load(row: r, at: i, tail: tail)
        gradient.store(product, at: i, tail: tail)
        total += product
      }
      let sum = Vector(repeating: -total.orderedSum)
      forEachVector(columns) { i, tail in
        let product = gradient.load(at: i, tail: tail)
        let probability = probabilities.load(row: r, at: i, tail: tail)
        output.store(probability.times(sum, plus: product), row: r, at: i, tail: tail)
      }
    }
  }

  /// The largest entry of a row of this tensor; NaN entries are skipped, an empty row gives
  /// -infinity.
  @inline(__always)
  func largest(of row: UnsafeMutablePointer<Float>) -> Float {
    var largest = Vector(repeating: -.infinity)
    forEachVector(columns) { i, tail in
      largest = largest.maximum(row.load(at: i, tail: tail, neutral: -.infinity))
    }
    return largest.largest
  }
}

extension SIMD8 where Scalar == Float {
  /// Sets lane `first` and all later ones to zero.
  @inline(__always)
  mutating func clearLanes(from first: Int) {
    for lane in first..<Self.scalarCount { self[lane] = 0 }
  }
}
