import Layers
import Tensors
import Tokenization

/// The choice of masked positions of a batch, and of the input tokens there.
///
/// It follows the reference (`pretrain_helpers.mask`) with one difference: by default positions are
/// drawn without replacement and are therefore distinct, as the paper describes. A `MaskingRule`
/// decides the input token at a masked position.
package struct Masking: Sendable, Equatable {
  /// The fraction of a sequence's tokens that is masked: 0.15 for small and base, 0.25 for large.
  package let fraction: Double
  /// The longest sequence of the run, which bounds the number of masked positions.
  private let maximumLength: Int
  let special: SpecialTokens
  private let rules: Rules
  private let seed: UInt64
  private let site = RandomStream.site("mask")

  /// The distribution of the input token at a masked position.
  package enum MaskingRule: Sendable, Equatable {
    /// [MASK] with probability 0.85, else the token itself (the reference, for every objective).
    case electra
    /// [MASK] with probability 0.8, a uniformly random token with 0.1, else the token itself (BERT,
    /// appendix A.1; the paper's baseline).
    case bert(vocabularySize: Int)

    fileprivate var maskedShare: Double { self == .electra ? 0.85 : 0.8 }
  }

  /// The rules that differ between objectives.
  package struct Rules: Sendable, Equatable {
    /// For each id whether it continues a word, for whole-word masking; empty to mask single
    /// tokens.
    let continuations: [Bool]
    let maskingRule: MaskingRule
    /// Whether positions are drawn with replacement, as in the reference.
    let drawsWithReplacement: Bool
    /// The fraction of a sequence's tokens that `replace` draws; 0 where masked positions are those
    /// that get samples.
    let replacedFraction: Double

    package init(
      continuations: [Bool] = [], maskingRule: MaskingRule = .electra,
      drawsWithReplacement: Bool = false, replacedFraction: Double = 0
    ) {
      self.replacedFraction = replacedFraction
      self.continuations = continuations
      self.maskingRule = maskingRule
      self.drawsWithReplacement = drawsWithReplacement
    }
  }

  /// Creates the masking of a run.
  ///
  /// - Parameters:
  ///   - fraction: the fraction of a sequence's tokens that is masked.
  ///   - maximumLength: the longest sequence of the run.
  ///   - special: the tokens that are never masked, and [MASK].
  ///   - rules: how positions are drawn, and the input tokens there.
  ///   - seed: the run's seed.
  package init(
    fraction: Double, maximumLength: Int, special: SpecialTokens, rules: Rules = Rules(),
    seed: UInt64
  ) {
    self.fraction = fraction
    self.maximumLength = maximumLength
    self.special = special
    self.rules = rules
    self.seed = seed
  }

  /// A batch after masking.
  package struct Masked: Sendable, Equatable {
    /// The input of the generator. (N)
    package var tokens: [Int32]
    /// The masked positions in ascending order; with replacement they may repeat. (K)
    package var positions: [Int32] = []
    /// The original tokens at the masked positions. (K)
    package var targets: [Int32] = []
    /// The sequence of each masked position and its index among that sequence's masked positions
    /// (K), which select the random numbers of its sample.
    package var coordinates: [(sequence: Int, ordinal: Int)] = []

    /// A batch without masked positions.
    package init(tokens: [Int32]) { self.tokens = tokens }

    /// Coordinates follow from the positions and need no comparison; tuples are not `Equatable`.
    package static func == (a: Self, b: Self) -> Bool {
      a.tokens == b.tokens && a.positions == b.positions && a.targets == b.targets
    }
  }

  /// The positions that a batch is drawn for.
  private enum Use { case masked, replaced }

  /// Masks every sequence of `batch`.
  ///
  /// The result is a function of the seed, the step and the index of each sequence in the global
  /// batch, so micro-batches are masked as the whole batch is. A sequence without candidates is not
  /// masked.
  package func mask(_ batch: Batch) -> Masked { choose(batch, for: .masked) }

  /// The positions of `batch` that get samples in an objective that also predicts masked positions.
  ///
  /// They are disjoint from those of `mask` and drawn as these are. The tokens are the generator's
  /// input, with [MASK] at the positions.
  package func replace(_ batch: Batch) -> Masked { choose(batch, for: .replaced) }

  private func choose(_ batch: Batch, for use: Use) -> Masked {
    var result = Masked(tokens: batch.tokens)
    for (index, range) in batch.ranges.enumerated() {
      let stream = RandomStream(
        seed: seed, site: site, step: batch.step, sequence: batch.firstSequence + index)
      for (ordinal, position) in draw(batch.tokens, range, stream, use).sorted().enumerated() {
        result.positions.append(Int32(position))
        result.targets.append(batch.tokens[position])
        result.coordinates.append((index, ordinal))
        let input =
          use == .replaced ? special.mask : input(for: batch.tokens[position], ordinal, stream)
        // At a position drawn twice, the last draw that changes the token decides; with ELECTRA's
        // rule that is [MASK].
        if input != batch.tokens[position] { result.tokens[position] = input }
      }
    }
    return result
  }

  /// The input token at the masked position with index `ordinal` of its sequence.
  private func input(for token: Int32, _ ordinal: Int, _ stream: RandomStream) -> Int32 {
    let draw = stream.number(below: 1 << 30, index: Self.ruleOffset + ordinal)
    let uniform = Double(draw) / Double(1 << 30)
    if uniform < rules.maskingRule.maskedShare { return special.mask }
    guard case .bert(let size) = rules.maskingRule, uniform < 0.9 else { return token }
    return Int32(stream.number(below: size, index: 2 * Self.ruleOffset + ordinal))
  }

  /// The number of positions to mask in a sequence of `length` tokens.
  ///
  /// It is `fraction` of the length, rounded to nearest with ties to even, at least 1, and at most
  /// `(fraction + 0.005) * maximumLength`, the reference's bound.
  package static func count(length: Int, fraction: Double, maximumLength: Int) -> Int {
    let count = Int((Double(length) * fraction).rounded(.toNearestOrEven))
    return max(1, min(Int((fraction + 0.005) * Double(maximumLength)), count))
  }

  /// The positions drawn in the sequence at `range` for a use, in no particular order.
  ///
  /// Words are taken in random order, first to be masked, then to be replaced. A word that would
  /// exceed the count is skipped, so whole-word masking may mask fewer tokens (BERT,
  /// `create_pretraining_data.py`).
  private func draw(
    _ tokens: [Int32], _ range: Range<Int>, _ stream: RandomStream, _ use: Use
  ) -> [Int] {
    let limit = Self.count(length: range.count, fraction: fraction, maximumLength: maximumLength)
    if rules.drawsWithReplacement {
      let candidates = range.filter { isCandidate(tokens[$0]) }
      if candidates.isEmpty { return [] }
      return (0..<limit).map { candidates[stream.number(below: candidates.count, index: $0)] }
    }
    let limits: (masked: Int, replaced: Int) = (
      limit,
      use == .masked
        ? 0
        : Self.count(
          length: range.count, fraction: rules.replacedFraction, maximumLength: maximumLength)
    )
    var words = words(tokens, range)
    var (masked, replaced): ([Int], [Int]) = ([], [])
    // A Fisher-Yates shuffle.
    for i in words.indices where masked.count < limits.masked || replaced.count < limits.replaced {
      words.swapAt(i, i + stream.number(below: words.count - i, index: i))
      if masked.count + words[i].count <= limits.masked {
        masked += words[i]
      } else if replaced.count + words[i].count <= limits.replaced {
        replaced += words[i]
      }
    }
    return use == .masked ? masked : replaced
  }

  /// The units that are masked together: each candidate alone, or with the continuations after it.
  private func words(_ tokens: [Int32], _ range: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    let continuations = rules.continuations
    for position in range where isCandidate(tokens[position]) {
      let isContinuation =
        Int(tokens[position]) < continuations.count && continuations[Int(tokens[position])]
      if isContinuation, let last = words.last, last.upperBound == position {
        words[words.count - 1] = last.lowerBound..<position + 1
      } else {
        words.append(position..<position + 1)
      }
    }
    return words
  }

  /// The first index in the stream of the draws for the masking rule, beyond those for positions.
  private static let ruleOffset = 1 << 20

  /// Whether `token` may be masked: any but [CLS], [SEP], [MASK] and [PAD].
  private func isCandidate(_ token: Int32) -> Bool {
    token != special.classification && token != special.separator && token != special.mask
      && token != special.padding
  }
}
