/// An error in a vocabulary, a tokenizer's files or the training of a vocabulary.
package enum TokenizationError: Error, Equatable, CustomStringConvertible {
  /// The vocabulary has no tokens.
  case emptyVocabulary(source: String)
  /// The vocabulary has more tokens than an `Int32` id can represent.
  case vocabularyTooLarge(source: String)
  /// A line of the vocabulary is blank.
  case blankLine(source: String, line: Int)
  /// Two lines of the vocabulary hold the same token, byte for byte.
  case duplicateToken(source: String, token: String, firstLine: Int, secondLine: Int)
  /// One of the five special tokens is missing.
  case missingSpecialToken(source: String, token: String)
  /// A file describes a tokenizer whose ids this package cannot reproduce, or no tokenizer.
  case unsupported(path: String, reason: String)
  /// The text for training a vocabulary contains no words.
  case noWords
  /// The special tokens, the reserved ones and the alphabet alone exceed the vocabulary's size.
  case sizeTooSmall(size: Int, needed: Int)

  package var description: String {
    switch self {
    case .emptyVocabulary(let source):
      "the vocabulary \(source) is empty; it needs one token per line"
    case .vocabularyTooLarge(let source):
      "the vocabulary \(source) has more than \(Int32.max) tokens"
    case .blankLine(let source, let line):
      "line \(line) of the vocabulary \(source) is blank; every line must contain a token"
    case .duplicateToken(let source, let token, let first, let second):
      "the vocabulary \(source) contains the token \(token) twice, on lines \(first) and \(second)"
    case .missingSpecialToken(let source, let token):
      "the vocabulary \(source) lacks the special token \(token); "
        + "it needs [PAD], [UNK], [CLS], [SEP] and [MASK]"
    case .unsupported(let path, let reason):
      "cannot use the tokenizer of \(path): \(reason)"
    case .noWords:
      "the text contains no words to train a vocabulary on"
    case .sizeTooSmall(let size, let needed):
      "a vocabulary of \(size) tokens cannot hold the special and reserved tokens and the "
        + "alphabet, which need \(needed); raise --size, or lower --alphabet or --reserve"
    }
  }
}
