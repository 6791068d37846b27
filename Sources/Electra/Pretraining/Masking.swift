import Layers
import Tensors
import Tokenization

/// Which positions of a batch are masked, and what the generator sees there.
///
/// As the reference (`pretrain_helpers.mask`), but for one decision: unless asked to, positions
/// are drawn without replacement, so that every draw is a distinct position, as the paper describes.
/// What a drawn position shows is a `MaskingRule`.
package struct Masking: Sendable, Equatable {
  /// The share of a sequence's tokens that is drawn: 0.15 for small and base, 0.25 for large.
  package let fraction: Double
  /// The longest sequence of the run, which bounds the positions drawn in any.
  private let maximumLength: Int
  private let special: SpecialTokens
  private let rules: Rules
  private let seed: UInt64
  private let site = RandomStream.site("mask")

  /// What a drawn position shows in place of its token.
  package enum MaskingRule: Sendable, Equatable {
    /// [MASK] at 85 of 100, else the token itself; no random tokens (the reference, for every
    /// objective).
    case electra
    /// [MASK] at 80 of 100, any token of a vocabulary of so many at 10, else the token itself (BERT,
    /// appendix A.1; the paper's baseline).
    case bert(vocabularySize: Int)

    fileprivate var maskedShare: Double { self == .electra ? 0.85 : 0.8 }
  }

  /// What differs between objectives.
  package struct Rules: Sendable, Equatable {
    /// For each id whether it continues a word, for masking of whole words; empty to draw every token
    /// by itself.
    let continuations: [Bool]
    let maskingRule: MaskingRule
    /// Whether a position may be drawn again, as in the reference.
    let drawsWithReplacement: Bool

    package init(
      continuations: [Bool] = [], maskingRule: MaskingRule = .electra,
      drawsWithReplacement: Bool = false
    ) {
      self.continuations = continuations
      self.maskingRule = maskingRule
      self.drawsWithReplacement = drawsWithReplacement
    }
  }

  /// - Parameters:
  ///   - fraction: the share of a sequence's tokens that is drawn.
  ///   - maximumLength: the longest sequence of the run.
  ///   - special: tokens that are never drawn, and [MASK].
  ///   - rules: how positions are drawn, and what they show.
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
    /// What the generator reads. (N)
    package var tokens: [Int32]
    /// The drawn positions, rising; with replacement one may come again. (K)
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

  /// Draws the positions of every sequence of `batch`, a function of its step and sequence numbers:
  /// words in random order, as long as they fit.
  package func mask(_ batch: Batch) -> Masked {
    var result = Masked(tokens: batch.tokens)
    for (index, range) in batch.ranges.enumerated() {
      let stream = RandomStream(
        seed: seed, site: site, step: batch.step, sequence: batch.firstSequence + index)
      for (ordinal, position) in draw(batch.tokens, range, stream).sorted().enumerated() {
        result.positions.append(Int32(position))
        result.targets.append(batch.tokens[position])
        result.places.append((index, ordinal))
        let shown = shown(batch.tokens[position], ordinal, stream)
        if shown != batch.tokens[position] { result.tokens[position] = shown }
      }
    }
    return result
  }

  /// What the drawn position that is number `ordinal` of its sequence shows in place of `token`.
  private func shown(_ token: Int32, _ ordinal: Int, _ stream: RandomStream) -> Int32 {
    let draw = stream.number(below: 1 << 30, index: Self.shareOffset + ordinal)
    let share = Double(draw) / Double(1 << 30)
    if share < rules.maskingRule.maskedShare { return special.mask }
    guard case .bert(let size) = rules.maskingRule, share < 0.9 else { return token }
    return Int32(stream.number(below: size, index: 2 * Self.shareOffset + ordinal))
  }

  /// The positions to draw in a sequence: its share rounded to even, at least one, and at most the
  /// share of the longest one.
  package static func count(length: Int, fraction: Double, maximumLength: Int) -> Int {
    let share = Int((Double(length) * fraction).rounded(.toNearestOrEven))
    return max(1, min(Int((fraction + 0.005) * Double(maximumLength)), share))
  }

  /// The positions drawn in the sequence at `range`. Whole words may leave a few over: a word that does
  /// not fit is passed by (BERT, `create_pretraining_data.py`).
  private func draw(_ tokens: [Int32], _ range: Range<Int>, _ stream: RandomStream) -> [Int] {
    let wanted = Self.count(length: range.count, fraction: fraction, maximumLength: maximumLength)
    if rules.drawsWithReplacement {
      let candidates = range.filter { isCandidate(tokens[$0]) }
      if candidates.isEmpty { return [] }
      return (0..<wanted).map { candidates[stream.number(below: candidates.count, index: $0)] }
    }
    var words = words(tokens, range)
    var drawn: [Int] = []
    for i in words.indices where drawn.count < wanted {  // a shuffle (Fisher and Yates)
      words.swapAt(i, i + stream.number(below: words.count - i, index: i))
      if drawn.count + words[i].count <= wanted { drawn += words[i] }
    }
    return drawn
  }

  /// What is drawn as one: each candidate by itself, or with the continuations that follow it.
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

  /// Where in the stream the draws of [MASK] or not begin: behind any sequence's positions.
  private static let shareOffset = 1 << 20

  /// Any token but [CLS], [SEP], [MASK] and [PAD] may be drawn.
  private func isCandidate(_ token: Int32) -> Bool {
    token != special.classification && token != special.separator && token != special.mask
      && token != special.padding
  }
}
