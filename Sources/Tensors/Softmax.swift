// The softmax of attention: rows of scores become rows of probabilities, in place.

extension Tensor {
  /// Replaces every row by its softmax; the largest entry is subtracted first.
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

  /// Turns the gradient of the probabilities after dropout, which this tensor holds, into that of
  /// the scores: with d the gradient before dropout, p (d - sum(d p)) a row.
  package func softmaxRowsBackward(
    probabilities: Tensor, dropout: DropoutStream?, firstRow: Int
  ) {
    let start = Profile.begin()
    defer { Profile.end(.softmax, start) }
    withDropoutFactors(width: columns) { factors in
      for r in 0..<rows {
        dropout?.factors(row: firstRow + r, width: columns, into: factors)
        let (gradient, probability) = (row(r), probabilities.row(r))
        var total = Vector(repeating: 0)
        forEachVector(columns) { i, tail in
          let d = gradient.load(at: i, tail: tail) * factors.vector(at: i)
          gradient.store(d, at: i, tail: tail)
          total = d.times(probability.load(at: i, tail: tail), plus: total)
        }
        let mean = total.orderedSum
        forEachVector(columns) { i, tail in
          let d = gradient.load(at: i, tail: tail) - mean
          gradient.store(probability.load(at: i, tail: tail) * d, at: i, tail: tail)
        }
      }
    }
  }

  /// The largest entry of a row of this tensor.
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
  /// Sets the lanes from `first` on to zero.
  @inline(__always)
  mutating func clearLanes(from first: Int) {
    for lane in first..<Self.scalarCount { self[lane] = 0 }
  }
}
