import Tensors
import Tokenization

/// A training example: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
package struct Example: Sendable, Equatable {
  package var tokens: [Int32]
  /// The number of tokens in the first segment, with `[CLS]` and `[SEP]`.
  ///
  /// They have segment id 0; the rest have 1.
  package var firstLength: Int

  package init(tokens: [Int32], firstLength: Int) {
    self.tokens = tokens
    self.firstLength = firstLength
  }
}

/// Builds examples from the sentences of a document.
///
/// The rules are those of the reference (`build_pretraining_dataset.py`). Sentences are collected
/// until they fill a target length. It is the maximum length, except for one example in twenty,
/// whose target is random. The sentences are split into two segments at the end of a sentence near
/// the middle; one example in ten has only one segment.
///
/// One difference: the reference discards tokens that do not fit into an example. Here they begin
/// the next one. Only a remainder of fewer than `minimumLength` tokens at the end of a document is
/// dropped.
package struct ExampleBuilder {
  private let maximumLength: Int
  private let special: SpecialTokens
  private var random: SplitMix
  private var sentences: [[Int32]] = []
  private var length = 0
  private var targetLength: Int
  /// Whether all collected tokens are left over from the previous example.
  private var isRemainder = false
  /// The examples built so far.
  package private(set) var examples: [Example] = []
  /// The number of tokens that are in no example.
  package private(set) var droppedTokens = 0

  /// The minimum number of tokens in an example that has only tokens left over from the previous
  /// one.
  private static let minimumLength = 8

  /// Creates a builder for one document.
  ///
  /// All random decisions depend only on `seed` and the number of the document.
  package init(maximumLength: Int, special: SpecialTokens, seed: UInt64, document: Int) {
    self.maximumLength = maximumLength
    self.special = special
    random = SplitMix(seed: seed, stream: UInt64(truncatingIfNeeded: document))
    targetLength = maximumLength
  }

  /// Adds a sentence, and builds examples while there are enough tokens; ignores empty sentences.
  package mutating func add(_ sentence: [Int32]) {
    guard !sentence.isEmpty else { return }
    sentences.append(sentence)
    length += sentence.count
    isRemainder = false
    while length >= targetLength { makeExample() }
  }

  /// Builds examples from all remaining tokens.
  package mutating func endDocument() {
    while length > 0 {
      if isRemainder && length < Self.minimumLength {
        droppedTokens += length
        return
      }
      makeExample()
    }
  }

  private mutating func makeExample() {
    // A target of 100,000 exceeds every length, so that there is one segment. 3 tokens are [CLS]
    // and two [SEP].
    let firstTarget = random.chance(0.1) ? 100_000 : (targetLength - 3) / 2
    var first: [Int32] = []
    var second: [Int32] = []
    for sentence in sentences {
      if first.isEmpty || first.count + sentence.count < firstTarget
        || (second.isEmpty && first.count < firstTarget && random.chance(0.5))
      {
        first += sentence
      } else {
        second += sentence
      }
    }
    let firstKept = min(first.count, maximumLength - 2)
    let secondKept = min(second.count, max(0, maximumLength - firstKept - 3))
    append(first[..<firstKept], second[..<secondKept])
    sentences = [Array(first[firstKept...]), Array(second[secondKept...])].filter { !$0.isEmpty }
    length = first.count - firstKept + second.count - secondKept
    isRemainder = true
    targetLength =
      random.chance(0.05) ? 5 + random.number(below: maximumLength - 4) : maximumLength
  }

  private mutating func append(_ first: ArraySlice<Int32>, _ second: ArraySlice<Int32>) {
    var tokens = [special.classification] + first + [special.separator]
    let firstLength = tokens.count
    if !second.isEmpty { tokens += second + [special.separator] }
    examples.append(Example(tokens: tokens, firstLength: firstLength))
  }
}
