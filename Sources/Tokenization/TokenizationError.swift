/// What can go wrong with a vocabulary, its file or its training.
package enum TokenizationError: Error, Equatable, CustomStringConvertible {
  /// The vocabulary has no tokens.
  case emptyVocabulary(source: String)
  /// The vocabulary has more tokens than an id can number.
  case vocabularyTooLarge(source: String)
  /// A line of the vocabulary is blank.
  case blankLine(source: String, line: Int)
  /// A token stands on two lines.
  case duplicateToken(source: String, token: String, firstLine: Int, secondLine: Int)
  /// One of the five special tokens is absent.
  case missingSpecialToken(source: String, token: String)
  /// A file describes a tokenizer of another kind, or none.
  case unsupported(path: String, reason: String)
  /// The text for the training of a vocabulary holds no word.
  case noWords
  /// The special tokens and the alphabet alone need more entries than the vocabulary may have.
  case sizeTooSmall(size: Int, needed: Int)

  package var description: String {
    switch self {
    case .emptyVocabulary(let source):
      "the vocabulary \(source) is empty; it needs one token a line"
    case .vocabularyTooLarge(let source):
      "the vocabulary \(source) has more than \(Int32.max) tokens"
    case .blankLine(let source, let line):
      "line \(line) of the vocabulary \(source) is blank; every line must hold a token"
    case .duplicateToken(let source, let token, let first, let second):
      "the vocabulary \(source) holds the token \(token) on lines \(first) and \(second)"
    case .missingSpecialToken(let source, let token):
      "the vocabulary \(source) lacks the special token \(token); "
        + "it needs [PAD], [UNK], [CLS], [SEP] and [MASK]"
    case .unsupported(let path, let reason):
      "cannot use the tokenizer of \(path): \(reason)"
    case .noWords:
      "the text holds no word to train a vocabulary on"
    case .sizeTooSmall(let size, let needed):
      "a vocabulary of \(size) tokens cannot hold the special tokens and the alphabet, "
        + "which need \(needed); raise --size or lower --alphabet"
    }
  }
}
