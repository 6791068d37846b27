// The softmax of attention, in place: rows of scores become rows of probabilities.

extension Tensor {
  /// Replaces every row by its softmax.
  ///
  /// The largest entry is subtracted first, so that exponentials do not overflow. A NaN makes its
  /// row NaN.
  package func softmaxRows() {
    let start = Profile.begin()
    defer { Profile.end(.softmax, start) }
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
        row.store(row.load(at: i, tail: tail) * inverse, at: i, tail: tail)
      }
    }
  }

  /// Replaces the gradient of the probabilities after dropout, in this tensor, by that of the
  /// scores.
  ///
  /// All tensors are (rows, columns). Let g be the gradient, p the probabilities, f the dropout
  /// factors, and k = p f the `kept` probabilities. The gradient of p is g f, hence that of the
  /// scores is p (g f - sum(p g f)) = g k - p sum(g k).
  package func softmaxRowsBackward(probabilities: Tensor, kept: Tensor) {
    let start = Profile.begin()
    defer { Profile.end(.softmax, start) }
    for r in 0..<rows {
      let (gradient, probability, kept) = (row(r), probabilities.row(r), kept.row(r))
      var total = Vector(repeating: 0)
      forEachVector(columns) { i, tail in
        let product = gradient.load(at: i, tail: tail) * kept.load(at: i, tail: tail)
        gradient.store(product, at: i, tail: tail)
        total += product
      }
      let sum = Vector(repeating: -total.orderedSum)
      forEachVector(columns) { i, tail in
        let product = gradient.load(at: i, tail: tail)
        gradient.store(
          probability.load(at: i, tail: tail).times(sum, plus: product), at: i, tail: tail)
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
