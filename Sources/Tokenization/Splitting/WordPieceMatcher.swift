/// Splits words into tokens by greedy longest match (WordPiece).
struct WordPieceMatcher: Sendable {
  /// The id of a word that cannot be split into tokens.
  let unknown: Int32
  private let maximumCharacters: Int
  private let trie: Trie
  /// The trie cell after `##`, from which continuing tokens are matched; -1 if there are none.
  private let continuation: Int32

  init(_ vocabulary: Vocabulary, maximumCharacters: Int) {
    self.maximumCharacters = maximumCharacters
    unknown = vocabulary.special.unknown
    trie = vocabulary.trie
    continuation = trie.cell(of: "##".utf8)
  }

  /// Calls `body` with each token of a word and the token's byte range in the buffer.
  ///
  /// Returns false if the word is too long or its rest does not match; `body` may have been called
  /// before that, and the caller discards these tokens.
  @inline(__always)
  func match(_ buffer: WordBuffer, _ body: (Int32, Range<Int>) -> Void) -> Bool {
    guard buffer.characters <= maximumCharacters else { return false }
    let word = buffer.contents
    var start = 0
    var cell = Trie.root
    while start < word.count {
      var id: Int32 = -1
      var end = start
      var index = start
      while cell >= 0 {
        // At `start` no byte is matched yet: the cell after `##` must not match a token `##`.
        if index > start {
          let found = trie.id(at: cell)
          if found >= 0 {
            id = found
            end = index
          }
        }
        if index == word.count { break }
        cell = trie.step(from: cell, by: word[index])
        index += 1
      }
      if id < 0 { return false }
      body(id, start..<end)
      start = end
      cell = continuation
    }
    return true
  }
}
