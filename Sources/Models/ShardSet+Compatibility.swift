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

  /// Checks that no example is longer than `longest`, the longest sequence of the model at `path`.
  package func expect(longest: Int, of path: String) throws {
    if description.maximumLength > longest {
      throw UsageError(
        "\(folder) has examples of up to \(description.maximumLength) tokens, but \(path) was "
          + "trained on at most \(longest); prepare the data with --length \(longest)")
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
