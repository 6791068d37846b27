import Tensors

/// A generator without a network: it draws tokens by fixed frequencies, whatever stands around them
/// (ELECTRA, section 3.2: the unigram generator).
///
///     let sampler = TokenSampler(counts: [0, 3, 1])
///     sampler.sample(stream, index: 0)                // token 1 three times of four
package struct TokenSampler: Sendable {
  /// The sum of the counts of each token and those before it.
  private let bounds: [Int]

  /// - Parameter counts: how often each token stands in the data; not all zero.
  package init(counts: [Int]) {
    var counts = counts
    // A random word has 32 bits.
    while counts.reduce(0, +) >= 1 << 31 { counts = counts.map { ($0 + 1) / 2 } }
    var sum = 0
    bounds = counts.map {
      sum += $0
      return sum
    }
    precondition(sum > 0, "no token to draw from")
  }

  /// The token that word `index` of `stream` draws.
  ///
  /// - Parameter excluded: a token that is not drawn, unless there is no other.
  package func sample(_ stream: RandomStream, index: Int, excluding excluded: Int32? = nil) -> Int32
  {
    let total = bounds[bounds.count - 1]
    let gap = excluded.map { token in
      (token > 0 ? bounds[Int(token) - 1] : 0)..<bounds[Int(token)]
    }
    guard let gap, gap.count < total else {
      return token(at: stream.number(below: total, index: index))
    }
    let place = stream.number(below: total - gap.count, index: index)
    return token(at: place < gap.lowerBound ? place : place + gap.count)
  }

  /// The first token whose bound is above `place`.
  private func token(at place: Int) -> Int32 {
    Int32(firstPosition(in: bounds.count - 1) { bounds[$0] > place })
  }
}
