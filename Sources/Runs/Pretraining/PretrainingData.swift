import Corpus
import Electra
import Tokenization

extension PretrainingConfiguration {
  /// The objective of this run on `data`.
  ///
  /// Reads the training split where replacements are sampled by the frequencies of tokens.
  package func objective(model: ElectraModel, data: ShardSet) throws -> PretrainingObjective {
    var objective = objective(model: model, vocabulary: data.vocabulary)
    if recipe.task.generator == .unigram {
      objective.sampler = try data.unigramSampler()
    }
    return objective
  }
}

extension ShardSet {
  /// A sampler of tokens by their frequency in a sample of the training examples.
  ///
  /// Tokens that are never masked are never sampled. The sample of examples is up to 256 blocks,
  /// about a million examples, which suffices for frequencies.
  func unigramSampler() throws -> TokenSampler {
    var counts = [Int](repeating: 0, count: vocabulary.size)
    try forEachTrainingExample(ofBlocks: 256) { tokens in
      for token in tokens { counts[Int(token)] += 1 }
    }
    let special = vocabulary.special
    for token in [special.classification, special.separator, special.mask, special.padding] {
      counts[Int(token)] = 0
    }
    // A sampler needs a positive count; data of special tokens alone have none.
    return TokenSampler(counts: counts.contains { $0 > 0 } ? counts : counts.map { _ in 1 })
  }
}
