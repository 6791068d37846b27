import Electra
import Layers
import Platform
import Tokenization
import Training

/// Minimal pairs as tokens, with their evaluation on all ranks and workers.
///
///     let pairs = try EncodedPairs(minimalPairs, tokenizer: tokenizer, longest: 128)
///     let accuracy = try pairs.accuracy(evaluator)
///
/// Pairs are divided among ranks and workers. The accuracy does not depend on their numbers: a pair
/// is always scored in the same slice, and the results are counts.
package struct EncodedPairs: Sendable {
  private struct Pair: Sendable {
    /// With [CLS] and [SEP].
    let good: [Int32]
    let bad: [Int32]
    let phenomenon: Int
  }

  /// The pairs with different tokens.
  private var pairs: [Pair] = []
  /// All results that are known without a model: the numbers of pairs, and the ties.
  private var known: PairAccuracy

  /// Encodes the sentences.
  ///
  /// `longest` is the length of the model's longest sequence in tokens. Throws `TextError` with the
  /// line of a sentence that is longer with [CLS] and [SEP].
  package init(_ pairs: MinimalPairs, tokenizer: Tokenizer, longest: Int) throws(TextError) {
    let special = tokenizer.vocabulary.special
    known = PairAccuracy(phenomena: pairs.phenomena)
    for pair in pairs.pairs {
      let (good, bad) = (tokenizer.encode(pair.good), tokenizer.encode(pair.bad))
      guard !good.isEmpty && !bad.isEmpty else {
        throw .unusable(
          path: pairs.path, reason: "line \(pair.line) has a sentence without tokens")
      }
      let length = max(good.count, bad.count) + 2
      guard length <= longest else {
        throw .unusable(
          path: pairs.path,
          reason: "line \(pair.line) has a sentence of \(length) tokens with [CLS] and [SEP], and "
            + "the model's sequences have at most \(longest); remove the pair")
      }
      if good == bad {
        known.addTie(pair.phenomenon)
        continue
      }
      let encoded = [good, bad].map { [special.classification] + $0 + [special.separator] }
      self.pairs.append(Pair(good: encoded[0], bad: encoded[1], phenomenon: pair.phenomenon))
    }
  }

  /// A warning about pairs that no model with this vocabulary can tell apart; nil without any.
  package var warning: String? {
    let equal = known.equalPairs
    guard equal > 0 else { return nil }
    return "minimal pairs with the same tokens in both sentences, because the vocabulary lacks "
      + "their words: \(equal.grouped) of \((equal + pairs.count).grouped); they count half"
  }

  /// The share of pairs whose acceptable sentence has the higher score.
  ///
  /// Every rank must call it. Throws `TrainerError.stopped` on every rank if `shouldStop`, which is
  /// called several times, returns true on any.
  package func accuracy(
    _ evaluator: Evaluator<PairScorer>, shouldStop: () -> Bool = { false }
  ) throws -> PairAccuracy {
    let pairs = pairs
    let outcomes = try evaluator.tally(sequences: pairs.count, shouldStop: shouldStop) {
      _, indices in
      var batch = Batch()
      for pair in pairs[indices] {
        for tokens in [pair.good, pair.bad] {
          batch.append(tokens: tokens, segmentIDs: repeatElement(0, count: tokens.count))
        }
      }
      return batch
    }.outputs
    var accuracy = known
    for (pair, outcome) in zip(pairs, outcomes) {
      accuracy.add(halves: Int(2 * outcome), pair.phenomenon)
    }
    return accuracy
  }
}
