import Layers
import Tensors
import Tokenization

/// Which positions of a batch are masked, and what the generator sees there.
///
/// As the reference (`pretrain_helpers.mask`), but for one decision: positions are drawn without
/// replacement, so that every draw is a distinct position, as the paper describes. Of the drawn
/// positions 85 % show [MASK] and the others stay as they are; there are no random tokens.
package struct Masking: Sendable, Equatable {
  /// The share of a sequence's tokens that is drawn: 0.15 for small and base, 0.25 for large.
  package let fraction: Double
  /// The most positions drawn in one sequence.
  package let limit: Int
  private let special: SpecialTokens
  private let seed: UInt64
  private let site = RandomStream.site("mask")

  /// The chance that a drawn position shows [MASK].
  package static let maskedShare = 0.85

  /// - Parameter maximumLength: the longest sequence of the run.
  package init(fraction: Double, maximumLength: Int, special: SpecialTokens, seed: UInt64) {
    self.fraction = fraction
    limit = Int((fraction + 0.005) * Double(maximumLength))
    self.special = special
    self.seed = seed
  }

  /// A batch after masking.
  package struct Masked: Sendable, Equatable {
    /// What the generator reads. (N)
    package var tokens: [Int32]
    /// The drawn positions, rising. (K)
    package var positions: [Int32] = []
    /// What stood there. (K)
    package var targets: [Int32] = []
    /// The sequence of each drawn position, and its number among that sequence's. (K)
    package var places: [(sequence: Int, ordinal: Int)] = []

    package init(tokens: [Int32]) { self.tokens = tokens }

    package static func == (a: Self, b: Self) -> Bool {
      a.tokens == b.tokens && a.positions == b.positions && a.targets == b.targets
    }
  }

  /// The number of positions drawn in a sequence of these tokens: its share rounded to even, at
  /// least one and at most the limit, and never more than there are candidates.
  package func count(in tokens: some Collection<Int32>) -> Int {
    let wanted = Int((Double(tokens.count) * fraction).rounded(.toNearestOrEven))
    let candidates = tokens.count { isCandidate($0) }
    return min(max(1, min(limit, wanted)), candidates)
  }

  /// Draws the positions of every sequence of `batch`, a function of its step and sequence numbers.
  package func mask(_ batch: Batch) -> Masked {
    var result = Masked(tokens: batch.tokens)
    for (index, range) in batch.ranges.enumerated() {
      let stream = RandomStream(
        seed: seed, site: site, step: batch.step, sequence: batch.firstSequence + index)
      var candidates = range.filter { isCandidate(batch.tokens[$0]) }
      let count = count(in: batch.tokens[range])
      for i in 0..<count {  // the first steps of a shuffle (Fisher and Yates)
        candidates.swapAt(i, i + stream.number(below: candidates.count - i, index: i))
      }
      for (ordinal, position) in candidates[..<count].sorted().enumerated() {
        result.positions.append(Int32(position))
        result.targets.append(batch.tokens[position])
        result.places.append((index, ordinal))
        let draw = stream.number(below: 1 << 30, index: Self.shareOffset + ordinal)
        if Double(draw) < Self.maskedShare * Double(1 << 30) {
          result.tokens[position] = special.mask
        }
      }
    }
    return result
  }

  /// Where in the stream the draws of [MASK] or not begin: behind any sequence's positions.
  private static let shareOffset = 1 << 20

  /// Any token but [CLS], [SEP] and [MASK] may be drawn.
  private func isCandidate(_ token: Int32) -> Bool {
    token != special.classification && token != special.separator && token != special.mask
      && token != special.padding
  }
}
