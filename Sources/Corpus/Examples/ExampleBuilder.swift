import Tensors
import Tokenization

/// One training example: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
package struct Example: Sendable, Equatable {
  package var tokens: [Int32]
  /// The tokens of the first segment, `[CLS]` and `[SEP]` included: segment id 0; the rest have 1.
  package var firstLength: Int

  package init(tokens: [Int32], firstLength: Int) {
    self.tokens = tokens
    self.firstLength = firstLength
  }
}

/// Turns the sentences of a document into examples, by the rules of the reference
/// (`build_pretraining_dataset.py`): sentences are collected until they fill a target length, which
/// is the maximum but for one example in twenty; they are split into two segments at a sentence's
/// end near the middle, but for one example in ten.
///
/// One departure: the reference throws away what does not fit into an example; here it begins the
/// next one. Only a rest of fewer than `shortest` tokens at a document's end is dropped.
package struct ExampleBuilder {
  private let maximumLength: Int
  private let special: SpecialTokens
  private var random: SplitMix
  private var sentences: [[Int32]] = []
  private var length = 0
  private var targetLength: Int
  private var isRest = false
  /// The examples so far.
  package private(set) var examples: [Example] = []
  /// The tokens of the document that are in no example.
  package private(set) var droppedTokens = 0

  /// The fewest tokens that a rest must have to become an example of its own.
  private static let shortest = 8

  /// - Parameter document: the document's number; with the seed it decides all chances.
  package init(maximumLength: Int, special: SpecialTokens, seed: UInt64, document: Int) {
    self.maximumLength = maximumLength
    self.special = special
    random = SplitMix(seed: seed, stream: UInt64(truncatingIfNeeded: document))
    targetLength = maximumLength
  }

  /// Adds a sentence, and makes examples while there is enough for one.
  package mutating func add(_ sentence: [Int32]) {
    guard !sentence.isEmpty else { return }
    sentences.append(sentence)
    length += sentence.count
    isRest = false
    while length >= targetLength { makeExample() }
  }

  /// Makes examples of all that is left.
  package mutating func endDocument() {
    while length > 0 {
      if isRest && length < Self.shortest {
        droppedTokens += length
        return
      }
      makeExample()
    }
  }

  private mutating func makeExample() {
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
    isRest = true
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
