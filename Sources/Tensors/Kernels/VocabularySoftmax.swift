// The softmax over the vocabulary: a row is one masked position, tens of thousands of logits. The
// row's exponentials are computed once, and serve the loss, the sample and the gradient.

/// What the softmax of one row of logits tells.
package struct VocabularyOutcome: Sendable, Equatable {
  /// The cross-entropy of the target, in nats.
  package var loss: Float
  /// The index of the largest logit; the first among equals.
  package var best: Int32
  /// The index drawn from the softmax; -1 where none was asked for.
  package var sample: Int32
}

/// Where the uniform numbers of a sample come from.
package enum SampleDraws {
  /// A random stream: numbers 0, 1, 2, ... for the vocabulary's entries.
  case stream(RandomStream, firstBlock: Int)
  /// Numbers that were drawn elsewhere, one an entry.
  case given(UnsafeMutablePointer<Float>)
}

/// How an entry is drawn from a softmax.
package struct SamplingRule: Sendable, Equatable {
  /// What the logits are divided by.
  package var temperature: Float
  /// Whether the target is never drawn.
  package var excludesTarget: Bool

  package init(temperature: Float = 1, excludesTarget: Bool = false) {
    self.temperature = temperature
    self.excludesTarget = excludesTarget
  }
}

extension Tensor {
  /// Adds `bias` to row `index`, then takes softmax, cross-entropy, best and sampled entry of these
  /// logits; the row ends as their exponentials, e^(logit - largest).
  ///
  /// The sample is the Gumbel-max of the reference (`pretrain_helpers.sample_from_softmax`):
  /// the largest of logit - log(-log(u + 1e-9) + 1e-9). Exponentials keep the order, so it is the
  /// largest of e^logit / (-log(u + 1e-9) + 1e-9), with one logarithm an entry instead of two.
  ///
  /// - Returns: the outcome, and the sum of the exponentials.
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

  /// Turns the exponentials that `vocabularySoftmax` left into the gradient of the logits:
  /// (probability - [target]) * `weight`, which is also added to `biasGradient`.
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

  /// row += bias; returns the largest entry.
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
    return 0  // only when every logit is not a number; the trainer stops before it is used
  }

  /// The winner of the race of a row of exponentials, by `rule`.
  private func sample(
    _ powers: UnsafeMutablePointer<Float>, _ draws: SampleDraws, _ rule: SamplingRule, target: Int32
  ) -> Int32 {
    let own = powers[Int(target)]
    if rule.excludesTarget { powers[Int(target)] = -1 }
    defer { powers[Int(target)] = own }
    return rule.temperature == 1
      ? race(powers, draws) { $0 }
      : race(powers, draws) { power in
        // e^(logit / T); what may not win stays below all others.
        let tempered = exponential(naturalLogarithm(power) * (1 / rule.temperature))
        return tempered.replacing(with: -1, where: power .< 0)
      }
  }

  /// The winner among the entries' `scale`d exponentials; one below zero or that is not a number never
  /// wins, and where none is left it is entry 0.
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

  /// The index of the best lane; the smallest index among equals.
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
