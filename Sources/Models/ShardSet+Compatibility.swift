import Corpus
import Electra
import Tokenization

extension ShardSet {
  /// The tokenizer that the data were prepared with.
  package var tokenizer: Tokenizer {
    Tokenizer(vocabulary: vocabulary, normalization: description.normalization)
  }

  /// Checks that the data were prepared with the same vocabulary and normalization as `tokenizer`.
  ///
  /// `tokenizer` is that of the model at `path`. Throws `UsageError`, or `ModelError` for a
  /// tokenizer with which no data can be prepared.
  package func expect(_ tokenizer: Tokenizer, of path: String) throws {
    if let obstacle = tokenizer.obstacleToPreparing {
      throw ModelError.unusable(
        path: path,
        reason: "its tokenizer \(obstacle); electra cannot prepare data for it")
    }
    guard tokenizer.vocabulary.digest == vocabulary.digest else {
      throw UsageError(
        "\(path) and \(folder) have different vocabularies (\(tokenizer.vocabulary.size) and "
          + "\(vocabulary.size) tokens); prepare the data with --vocabulary \(path)/vocab.txt")
    }
    guard tokenizer.normalization == description.normalization else {
      throw UsageError(
        "\(path) needs data prepared \(tokenizer.normalization.inWords), but \(folder) was "
          + "prepared \(description.normalization.inWords)")
    }
  }

  /// Checks that these are the data of a run with `configuration`; throws `UsageError` otherwise.
  package func expect(_ configuration: PretrainingConfiguration) throws {
    guard configuration.data == description.digest else {
      throw UsageError(
        "\(folder) does not contain the data that the run trains on; give the --data of its first "
          + "start, or a new --output")
    }
    try expect(length: configuration.recipe.length)
    guard configuration.model.vocabularySize == vocabulary.size else {
      throw UsageError(
        "the model's vocabulary has \(configuration.model.vocabularySize) tokens and that of "
          + "\(folder) has \(vocabulary.size); give the --data of the run's first start")
    }
  }
}

extension TextNormalization {
  /// The options of `prepare` that set it, for an error.
  fileprivate var inWords: String {
    lowercase
      ? stripAccents ? "without --cased or --keep-accents" : "with --keep-accents" : "with --cased"
  }
}
