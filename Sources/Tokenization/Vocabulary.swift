/// The tokens of a model in the order of their ids, one a line in a `vocab.txt`.
///
///     let vocabulary = try Vocabulary(contentsOf: "vocab.txt")
///     vocabulary.id(of: "##ing")
///
/// Invariant: no token is blank or stands twice, byte for byte, and all special tokens are there.
package struct Vocabulary: Sendable {
  /// The tokens; a token's id is its place.
  package let tokens: [String]
  /// The ids of the special tokens.
  package let special: SpecialTokens
  /// How many of the tokens words are made of. Those after them are added tokens, which only
  /// `Tokenizer.addedTokens` finds.
  package let pieceCount: Int
  /// The pieces as a trie of their bytes.
  let trie: Trie

  /// A vocabulary of `tokens`. `source` names their origin in errors: `emptyVocabulary`, `blankLine`,
  /// `duplicateToken`, `missingSpecialToken`, `vocabularyTooLarge`.
  ///
  /// - Parameter added: how many tokens at the end are no pieces of words.
  package init(tokens: [String], added: Int = 0, source: String) throws(TokenizationError) {
    if tokens.isEmpty { throw .emptyVocabulary(source: source) }
    if tokens.count > Int(Int32.max) { throw .vocabularyTooLarge(source: source) }
    // Swift holds canonically equivalent strings for equal; tokens are equal if their bytes are.
    let keys = tokens.map { Array($0.utf8) }
    var lines: [[UInt8]: Int] = [:]
    lines.reserveCapacity(keys.count)
    for (index, key) in keys.enumerated() {
      if key.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
        throw .blankLine(source: source, line: index + 1)
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

  /// For each token whether it continues a word: whether it begins with `##`.
  package var continuations: [Bool] { tokens.map { $0.utf8.starts(with: "##".utf8) } }

  /// The number of tokens.
  package var size: Int { tokens.count }

  /// The id of a piece, compared byte for byte.
  package func id(of token: String) -> Int32? {
    let cell = trie.cell(of: token.utf8)
    guard cell >= 0, trie.id(at: cell) >= 0 else { return nil }
    return trie.id(at: cell)
  }
}
