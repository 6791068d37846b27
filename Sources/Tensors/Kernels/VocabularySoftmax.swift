// The softmax over the vocabulary. A row has the logits of one masked position, one per entry of
// the vocabulary: tens of thousands. The exponentials of a row are computed once and used for the
// loss, the sample and the gradient.

/// The results of the softmax of one row of logits.
package struct VocabularyOutcome: Sendable, Equatable {
  /// The cross-entropy of the target, in nats.
  package var loss: Float
  /// The index of the largest logit; the smallest index among equals.
  package var best: Int32
  /// The index sampled from the softmax; -1 if no sample was requested.
  package var sample: Int32
}

/// The source of the uniform random numbers of a sample.
package enum SampleDraws {
  /// A random stream; entry i uses number i after 32 * `firstBlock` others.
  case stream(RandomStream, firstBlock: Int)
  /// Numbers in [0, 1) given by the caller, one per entry of the vocabulary.
  case given(UnsafeMutablePointer<Float>)
}

/// How an entry is sampled from a softmax.
package struct SamplingRule: Sendable, Equatable {
  /// The divisor of the logits.
  package var temperature: Float
  /// Whether the target is never sampled.
  package var excludesTarget: Bool

  package init(temperature: Float = 1, excludesTarget: Bool = false) {
    self.temperature = temperature
    self.excludesTarget = excludesTarget
  }
}

extension Tensor {
  /// Computes loss, best entry and sample of the logits of one row, and leaves their exponentials
  /// in it.
  ///
  /// The logits are row `index` plus `bias` (columns). Afterwards the row holds
  /// e^(logit - largest), for `vocabularySoftmaxBackward`; the returned `sum` is the sum of these
  /// exponentials. If a logit is NaN or +infinity, `sum` is NaN, and so is the gradient.
  ///
  /// The sample is the Gumbel-max trick as in ELECTRA's `pretrain_helpers.sample_from_softmax`: the
  /// largest logit - log(-log(u + 1e-9) + 1e-9), with u uniform in [0, 1). The exponential function
  /// is monotonic, so this is the largest e^logit / (-log(u + 1e-9) + 1e-9), which needs one
  /// logarithm per entry instead of two.
  package func vocabularySoftmax(
    row index: Int, bias: Tensor, target: Int32, draws: SampleDraws?,
    rule: SamplingRule = SamplingRule()
  ) -> (outcome: VocabularyOutcome, sum: Float) {
    let start = Profile.begin()
    defer { Profile.end(.vocabularySoftmax, start) }
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

  /// Samples an entry, given the exponentials of the logits.
  private func sample(
    _ powers: UnsafeMutablePointer<Float>, _ draws: SampleDraws, _ rule: SamplingRule, target: Int32
  ) -> Int32 {
    // A negative exponential never wins. The target's is restored for the backward pass.
    let targetPower = powers[Int(target)]
    if rule.excludesTarget { powers[Int(target)] = -1 }
    defer { powers[Int(target)] = targetPower }
    return rule.temperature == 1
      ? race(powers, draws) { $0 }
      : race(powers, draws) { power in
        // e^(logit / T); an excluded entry stays negative.
        let tempered = exponential(naturalLogarithm(power) * (1 / rule.temperature))
        return tempered.replacing(with: -1, where: power .< 0)
      }
  }

  /// The entry with the largest scaled exponential, each divided by an exponential random variable.
  ///
  /// The entry with the largest e^logit / -log(u) is that of the Gumbel-max trick. Scaled values that
  /// are negative or NaN never win; if no entry can win, the result is 0.
  @inline(__always)
  private func race(
    _ powers: UnsafeMutablePointer<Float>, _ draws: SampleDraws, _ scale: (Vector) -> Vector
  ) -> Int32 {
    var bestScore = Vector(repeating: 0)
    var bestIndex = SIMD8<Int32>(repeating: 0)
    let lanes = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
    @inline(__always)
    func race(_ uniform: Vector, _ i: Int, _ tail: Int?) {
      let time = 1e-9 - naturalLogarithm(uniform + 1e-9)
      let score = scale(powers.load(at: i, tail: tail, neutral: -1)) / time
      let wins = score .> bestScore
      bestScore.replace(with: score, where: wins)
      bestIndex.replace(with: lanes &+ Int32(i), where: wins)
    }
    switch draws {
    case .given(let uniforms):
      forEachVector(columns) { i, tail in
        race(uniforms.load(at: i, tail: tail, neutral: 0.5), i, tail)
      }
    case .stream(let stream, let firstBlock):
      for start in Swift.stride(from: 0, to: columns, by: 32) {
        let (a, b, c, d) = stream.uniforms(firstBlock + start / 32)
        let left = columns - start
        race(a, start, left < 8 ? left : nil)
        if left > 8 { race(b, start + 8, left < 16 ? left - 8 : nil) }
        if left > 16 { race(c, start + 16, left < 24 ? left - 16 : nil) }
        if left > 24 { race(d, start + 24, left < 32 ? left - 24 : nil) }
      }
    }
    return winner(bestScore, bestIndex)
  }

  /// The index of the lane with the highest score; the smallest index among equals.
  private func winner(_ scores: Vector, _ indices: SIMD8<Int32>) -> Int32 {
    var best = 0
    for lane in 1..<8
    where scores[lane] > scores[best]
      || (scores[lane] == scores[best] && indices[lane] < indices[best])
    {
      best = lane
    }
    return indices[best]
  }
}
