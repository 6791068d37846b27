// A sample from the softmax over the vocabulary, given the exponentials of a row of logits.
//
// Goals, in order: an entry with weight w has the probability w / total, up to the rounding of
// float32 sums; the sample depends on nothing but the row and the random numbers; speed. There are
// two ways to draw from this distribution. The inverse of the distribution function takes one
// random number and additions; the Gumbel-max trick of the reference takes a random number and a
// logarithm for each entry.

/// The random numbers of a sample, for one of two ways to draw it from the same distribution.
package enum SampleDraws {
  /// The inverse of the distribution function, at a uniform number in [0, 1).
  case inverse(Double)
  /// The Gumbel-max trick, with a uniform number in [0, 1) per entry of the vocabulary.
  case gumbel(Uniforms)

  /// The source of a number per entry.
  package enum Uniforms {
    /// A random stream; entry i uses number i after 32 * `firstBlock` others.
    case stream(RandomStream, firstBlock: Int)
    /// Numbers given by the caller, one per entry.
    case given(UnsafeMutablePointer<Float>)
  }
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
  /// Samples an entry, given the exponentials of the logits (columns).
  ///
  /// The weight of an entry is its exponential to the power of 1 / temperature. If no entry has a
  /// positive weight, because the target alone is excluded, the result is 0. If an exponential is
  /// NaN, the result is some entry.
  func sample(
    _ powers: UnsafeMutablePointer<Float>, _ draws: SampleDraws, _ rule: SamplingRule, target: Int32
  ) -> Int32 {
    // A negative exponential is never sampled. The target's is restored for the backward pass.
    let targetPower = powers[Int(target)]
    if rule.excludesTarget { powers[Int(target)] = -1 }
    defer { powers[Int(target)] = targetPower }
    return rule.temperature == 1
      ? sample(powers, draws) { $0 }
      : sample(powers, draws) { power in
        // e^(logit / T); an excluded entry stays negative.
        let tempered = exponential(naturalLogarithm(power) * (1 / rule.temperature))
        return tempered.replacing(with: -1, where: power .< 0)
      }
  }

  /// Samples an entry in proportion to the scaled exponentials; negative ones are never sampled.
  @inline(__always)
  private func sample(
    _ powers: UnsafeMutablePointer<Float>, _ draws: SampleDraws, _ scale: (Vector) -> Vector
  ) -> Int32 {
    switch draws {
    case .gumbel(let uniforms): race(powers, uniforms, scale)
    case .inverse(let uniform):
      invert(at: uniform) { i, tail in
        let weight = scale(powers.load(at: i, tail: tail, neutral: -1))
        return weight.replacing(with: 0, where: weight .< 0)
      }
    }
  }
}

// The inverse of the distribution function.
extension Tensor {
  /// The entries of a block, whose weights are added as float32; a multiple of 16.
  private static let blockSize = 256

  /// The first entry whose cumulative weight exceeds `uniform` times the total weight.
  ///
  /// The weights of a block are added in two vectors of eight float32 sums, the sums of the blocks
  /// in Double. The block is found first, then the entry in it. The total is the cumulative weight
  /// of the last block, so `uniform` below 1 always finds a block with a positive weight; 0 is
  /// returned if the total is 0 or NaN.
  @inline(__always)
  private func invert(
    at uniform: Double, _ weights: (_ index: Int, _ tail: Int?) -> Vector
  ) -> Int32 {
    let blocks = (columns + Self.blockSize - 1) / Self.blockSize
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { cumulative in
      var total = 0.0
      for block in 0..<blocks {
        total += Double(sum(ofBlock: block, weights))
        cumulative.initializeElement(at: block, to: total)
      }
      let threshold = uniform * total
      let block = firstPosition(in: blocks) { cumulative[$0] > threshold }
      guard block < blocks else { return 0 }
      let before = block > 0 ? cumulative[block - 1] : 0
      return entry(inBlock: block, exceeding: threshold - before, weights)
    }
  }

  /// The sum of the weights of a block.
  @inline(__always)
  private func sum(
    ofBlock block: Int, _ weights: (_ index: Int, _ tail: Int?) -> Vector
  ) -> Float {
    let start = block * Self.blockSize
    var sums = (Vector(repeating: 0), Vector(repeating: 0))
    forEachVector(min(Self.blockSize, columns - start)) { i, tail in
      let weight = weights(start + i, tail)
      if i & 8 == 0 { sums.0 += weight } else { sums.1 += weight }
    }
    return (sums.0 + sums.1).orderedSum
  }

  /// The first entry of a block at which the sum of the block's weights exceeds `threshold`.
  ///
  /// These sums are in Double, entry by entry. Rounding of the block's float32 sum may leave the
  /// last of them below the threshold; then the last entry with a positive weight is returned.
  @inline(__always)
  private func entry(
    inBlock block: Int, exceeding threshold: Double,
    _ weights: (_ index: Int, _ tail: Int?) -> Vector
  ) -> Int32 {
    let start = block * Self.blockSize
    let end = min(start + Self.blockSize, columns)
    var (sum, last) = (0.0, start)
    for i in Swift.stride(from: start, to: end, by: Vector.scalarCount) {
      let weight = weights(i, end - i < Vector.scalarCount ? end - i : nil)
      for lane in 0..<Vector.scalarCount where weight[lane] > 0 {
        sum += Double(weight[lane])
        last = i + lane
        if sum > threshold { return Int32(last) }
      }
    }
    return Int32(last)
  }
}

// The Gumbel-max trick, as in ELECTRA's `pretrain_helpers.sample_from_softmax`: the largest logit -
// log(-log(u + 1e-9) + 1e-9), with u uniform in [0, 1). The exponential function is monotonic, so
// this is the largest e^logit / (-log(u + 1e-9) + 1e-9), which needs one logarithm per entry
// instead of two.
extension Tensor {
  /// The entry with the largest scaled exponential, each divided by an exponential random variable.
  ///
  /// The entry with the largest e^logit / -log(u) is that of the Gumbel-max trick. Scaled values
  /// that are negative or NaN never win; if no entry can win, the result is 0.
  @inline(__always)
  private func race(
    _ powers: UnsafeMutablePointer<Float>, _ uniforms: SampleDraws.Uniforms,
    _ scale: (Vector) -> Vector
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
    switch uniforms {
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
