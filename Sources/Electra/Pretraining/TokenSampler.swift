import Tensors

/// A generator without a network: it samples tokens by fixed frequencies, independent of context.
///
/// (ELECTRA, section 3.2: the unigram generator.)
///
///     let sampler = TokenSampler(counts: [0, 3, 1])
///     sampler.sample(stream, index: 0)                // token 1 with probability 3/4
package struct TokenSampler: Sendable {
  /// The cumulative counts: entry i is the sum of the counts of tokens 0...i.
  private let bounds: [Int]

  /// A sampler of tokens in proportion to their `counts`, which are not all zero.
  ///
  /// If the sum exceeds 2^31 all counts are halved, rounding up, until it does not.
  package init(counts: [Int]) {
    var counts = counts
    // `RandomStream.number(below:)` draws from 32-bit words.
    while counts.reduce(0, +) >= 1 << 31 { counts = counts.map { ($0 + 1) / 2 } }
    var sum = 0
    bounds = counts.map {
      sum += $0
      return sum
    }
    precondition(sum > 0, "no token to draw from")
  }

  /// The token drawn with word `index` of `stream`.
  ///
  /// `excluded` is not drawn, unless it is the only token with a count.
  package func sample(_ stream: RandomStream, index: Int, excluding excluded: Int32? = nil) -> Int32
  {
    let total = bounds[bounds.count - 1]
    // Draw from the line of cumulative counts with the excluded token's interval cut out.
    let gap = excluded.map { token in
      (token > 0 ? bounds[Int(token) - 1] : 0)..<bounds[Int(token)]
    }
    guard let gap, gap.count < total else {
      return token(at: stream.number(below: total, index: index))
    }
    let draw = stream.number(below: total - gap.count, index: index)
    return token(at: draw < gap.lowerBound ? draw : draw + gap.count)
  }

  /// The first token whose cumulative count is above `draw`.
  private func token(at draw: Int) -> Int32 {
    Int32(firstPosition(in: bounds.count - 1) { bounds[$0] > draw })
  }
}
