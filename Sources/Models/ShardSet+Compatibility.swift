import Corpus
import Electra
import Tokenization

extension ShardSet {
  /// Checks that the data were prepared with a tokenizer of the same ids as `tokenizer`.
  ///
  /// `tokenizer` is that of the model at `path`. Throws `UsageError`.
  package func expect(_ tokenizer: Tokenizer, of path: String) throws {
    if let difference = tokenizer.difference(from: self.tokenizer) {
      throw UsageError(
        "\(path) and \(folder) have \(difference); prepare the data with --vocabulary \(path)")
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
