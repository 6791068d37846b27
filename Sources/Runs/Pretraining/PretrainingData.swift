import Corpus
import Electra
import Tokenization

extension PretrainingConfiguration {
  /// The objective of this run on `data`, whose training split it reads where samples follow the
  /// frequencies of tokens.
  package func objective(model: ElectraModel, data: ShardSet) throws -> PretrainingObjective {
    var objective = objective(model: model, vocabulary: data.vocabulary)
    switch recipe.task.generator {
    case .transformer: break
    case .unigram: objective.sampler = TokenSampler(counts: try frequencies(data))
    case .uniform:
      objective.sampler = TokenSampler(counts: Array(repeating: 1, count: data.vocabulary.size))
    }
    return objective
  }

  /// How often each token stands in the training examples; those that are never masked do not count.
  /// A million examples tell, however many there are.
  private func frequencies(_ data: ShardSet) throws -> [Int] {
    var counts = [Int](repeating: 0, count: data.vocabulary.size)
    try data.forEachTrainingExample(ofBlocks: 256) { tokens in
      for token in tokens { counts[Int(token)] += 1 }
    }
    let special = data.vocabulary.special
    for token in [special.classification, special.separator, special.mask, special.padding] {
      counts[Int(token)] = 0
    }
    // Data without a word would leave nothing to draw from.
    return counts.contains { $0 > 0 } ? counts : counts.map { _ in 1 }
  }
}
