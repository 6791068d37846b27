// The softmax over the vocabulary. A row has the logits of one masked position, one per entry of
// the vocabulary: tens of thousands. The exponentials of a row are computed once and used for the
// loss, the sample (VocabularySample.swift) and the gradient.

/// The results of the softmax of one row of logits.
package struct VocabularyOutcome: Sendable, Equatable {
  /// The cross-entropy of the target, in nats.
  package var loss: Float
  /// The index of the largest logit; the smallest index among equals.
  package var best: Int32
  /// The index sampled from the softmax; -1 if no sample was requested.
  package var sample: Int32
}

extension Tensor {
  /// Computes loss, best entry and sample of the logits of one row, and leaves their exponentials
  /// in it.
  ///
  /// The logits are row `index` plus `bias` (columns). Afterwards the row holds
  /// e^(logit - largest), for `vocabularySoftmaxBackward`; the returned `sum` is the sum of these
  /// exponentials. If a logit is NaN or +infinity, `sum` is NaN, and so is the gradient. Traps if
  /// `target` is outside of the vocabulary.
  package func vocabularySoftmax(
    row index: Int, bias: Tensor, target: Int32, draws: SampleDraws?,
    rule: SamplingRule = SamplingRule()
  ) -> (outcome: VocabularyOutcome, sum: Float) {
    let start = Profile.begin()
    defer { Profile.end(.vocabularySoftmax, start) }
    precondition(index >= 0 && index < rows && bias.columns == columns, "shapes differ")
    precondition(target >= 0 && target < columns, "token \(target) of a vocabulary of \(columns)")
    let row = row(index)
    let largest = add(bias.base, to: row)
    let targetLogit = row[Int(target)]
    let best = firstIndex(of: largest, in: row)
    var total = (Vector(repeating: 0), Vector(repeating: 0))
    // Two accumulators take turns, so that additions overlap; their order is fixed.
    forEachVector(columns) { i, tail in
      var power = exponential(row.load(at: i, tail: tail) - largest)
      if let tail { power.clearLanes(from: tail) }
      row.store(power, at: i, tail: tail)
      if i & 8 == 0 { total.0 += power } else { total.1 += power }
    }
    let sum = (total.0 + total.1).orderedSum
    let loss = largest - targetLogit + naturalLogarithm(Vector(repeating: sum))[0]
    let sample = draws.map { self.sample(row, $0, rule, target: target) } ?? -1
    return (VocabularyOutcome(loss: loss, best: best, sample: sample), sum)
  }

  /// Replaces the exponentials that `vocabularySoftmax` left in a row by the gradient of the
  /// logits.
  ///
  /// The gradient is (probability - one-hot target) * `weight`; it is also added to `biasGradient`
  /// (columns). `sum` is the sum that `vocabularySoftmax` returned.
  package func vocabularySoftmaxBackward(
    row index: Int, target: Int32, sum: Float, weight: Float, biasGradient: Tensor
  ) {
    let start = Profile.begin()
    defer { Profile.end(.vocabularySoftmax, start) }
    precondition(index >= 0 && index < rows && biasGradient.columns == columns, "shapes differ")
    precondition(target >= 0 && target < columns, "token \(target) of a vocabulary of \(columns)")
    let (row, bias) = (row(index), biasGradient.base)
    let factor = weight / sum
    forEachVector(columns) { i, tail in
      let gradient = row.load(at: i, tail: tail) * factor
      row.store(gradient, at: i, tail: tail)
      bias.store(bias.load(at: i, tail: tail) + gradient, at: i, tail: tail)
    }
    row[Int(target)] -= weight
    bias[Int(target)] -= weight
  }

  /// Adds `bias` to `row` and returns the largest entry.
  @inline(__always)
  private func add(
    _ bias: UnsafeMutablePointer<Float>, to row: UnsafeMutablePointer<Float>
  ) -> Float {
    var largest = Vector(repeating: -.infinity)
    forEachVector(columns) { i, tail in
      let logit =
        row.load(at: i, tail: tail, neutral: -.infinity) + bias.load(at: i, tail: tail)
      row.store(logit, at: i, tail: tail)
      largest = largest.maximum(logit)
    }
    return largest.largest
  }

  private func firstIndex(of value: Float, in row: UnsafeMutablePointer<Float>) -> Int32 {
    for i in 0..<columns where row[i] == value { return Int32(i) }
    return 0  // Only if every logit is NaN; the trainer stops before the index is used.
  }
}
