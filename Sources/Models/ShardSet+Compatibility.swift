import Corpus
import Electra
import Tokenization

extension ShardSet {
  /// Makes sure that the text was cut into tokens as `tokenizer`, that of a model at `path`, does it.
  package func expect(_ tokenizer: Tokenizer, of path: String) throws {
    if let obstacle = tokenizer.obstacleToPreparing {
      throw ModelError.unusable(
        path: path,
        reason: "its tokenizer \(obstacle), and no data can be prepared that way")
    }
    let own = tokenizer.vocabulary
    guard own.digest == vocabulary.digest else {
      throw UsageError(
        "the vocabulary of \(path) (\(own.size) tokens) is not that of \(folder) "
          + "(\(vocabulary.size)); prepare the data with --vocabulary \(path)/vocab.txt")
    }
    guard tokenizer.normalization == description.normalization else {
      throw UsageError(
        "\(path) wants its text \(tokenizer.normalization.inWords) and \(folder) was prepared "
          + "\(description.normalization.inWords)")
    }
  }

  /// Checks that these are the data of a run with `configuration`.
  package func expect(_ configuration: PretrainingConfiguration) throws {
    guard configuration.data == description.digest else {
      throw UsageError(
        "\(folder) does not hold the data that the run trains on; give the --data that it "
          + "began with, or a new --output")
    }
    try expect(length: configuration.recipe.length)
    guard configuration.model.vocabularySize == vocabulary.size else {
      throw UsageError(
        "the model's vocabulary has \(configuration.model.vocabularySize) tokens and that of "
          + "\(folder) has \(vocabulary.size); use the data that the run began with")
    }
  }
}

extension TextNormalization {
  /// The option of `prepare` that sets it.
  fileprivate var inWords: String {
    lowercase
      ? stripAccents ? "without --cased or --keep-accents" : "with --keep-accents" : "with --cased"
  }
}
