/// The tokens of a model in the order of their ids, stored one per line in a `vocab.txt`.
///
///     let vocabulary = try Vocabulary(contentsOf: "vocab.txt")
///     vocabulary.id(of: "##ing")
///
/// Invariant: no token is blank, no two tokens are equal byte for byte, and all special tokens are
/// present.
package struct Vocabulary: Sendable {
  /// The tokens; a token's id is its index.
  package let tokens: [String]
  /// The ids of the special tokens.
  package let special: SpecialTokens
  /// The number of word pieces, which come before all added tokens.
  ///
  /// Only word pieces are matched inside words; `Tokenizer.addedTokens` recognizes the others.
  let pieceCount: Int
  /// A trie of the UTF-8 bytes of the word pieces.
  let trie: Trie

  /// The most bytes of a token.
  ///
  /// Words have at most 100 characters, so no longer token is ever matched. The trie is built by a
  /// recursion over the bytes of a token, which must not exhaust the stack.
  private static let maximumBytes = 4096

  /// Creates a vocabulary of `tokens`, the last `added` of which are not word pieces.
  ///
  /// `source` names the origin of the tokens in errors. Throws `emptyVocabulary`,
  /// `vocabularyTooLarge`, `unsupported` for a token of more than `maximumBytes`, `blankLine`,
  /// `duplicateToken` or `missingSpecialToken`.
  package init(tokens: [String], added: Int = 0, source: String) throws(TokenizationError) {
    if tokens.isEmpty { throw .emptyVocabulary(source: source) }
    if tokens.count > Int(Int32.max) { throw .vocabularyTooLarge(source: source) }
    // Swift's String compares canonical equivalence, but tokens are equal only byte for byte.
    let keys = tokens.map { Array($0.utf8) }
    var lines: [[UInt8]: Int] = [:]
    lines.reserveCapacity(keys.count)
    for (index, key) in keys.enumerated() {
      if key.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
        throw .blankLine(source: source, line: index + 1)
      }
      if key.count > Self.maximumBytes {
        throw .unsupported(
          path: source,
          reason: "line \(index + 1) has \(key.count) bytes, which is too long for a token")
      }
      if let first = lines.updateValue(index + 1, forKey: key) {
        throw .duplicateToken(
          source: source, token: tokens[index], firstLine: first, secondLine: index + 1)
      }
    }
    self.tokens = tokens
    special = try SpecialTokens(source: source) { name in
      lines[Array(name.utf8)].map { Int32($0 - 1) }
    }
    pieceCount = tokens.count - added
    trie = Trie(Array(keys.prefix(pieceCount)))
  }

  /// For each token, whether it continues a word, that is, begins with `##`.
  package var continuations: [Bool] { tokens.map { $0.utf8.starts(with: "##".utf8) } }

  /// The number of tokens.
  package var size: Int { tokens.count }

  /// The id of a word piece, compared byte for byte; nil if there is none.
  package func id(of token: String) -> Int32? {
    let cell = trie.cell(of: token.utf8)
    guard cell >= 0, trie.id(at: cell) >= 0 else { return nil }
    return trie.id(at: cell)
  }
}
