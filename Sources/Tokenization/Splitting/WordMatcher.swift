/// Covers words with tokens, the longest first.
struct WordMatcher: Sendable {
  /// The id of a word that cannot be covered.
  let unknown: Int32
  private let maximumCharacters: Int
  private let trie: Trie
  /// The cell behind `##`, or -1.
  private let continuation: Int32

  init(_ vocabulary: Vocabulary, maximumCharacters: Int) {
    self.maximumCharacters = maximumCharacters
    unknown = vocabulary.special.unknown
    trie = vocabulary.trie
    continuation = trie.cell(of: "##".utf8)
  }

  /// Calls `body` with each token of `word` and the range of bytes that it covers; returns whether
  /// the tokens covered the word to its end. A word that is too long has none.
  @inline(__always)
  func match(_ buffer: WordBuffer, _ body: (Int32, Range<Int>) -> Void) -> Bool {
    guard buffer.characters <= maximumCharacters else { return false }
    let word = buffer.contents
    var start = 0
    var cell = Trie.root
    while start < word.count {
      var id: Int32 = -1
      var end = start
      var place = start
      while cell >= 0 {
        if place > start {
          let found = trie.id(at: cell)
          if found >= 0 {
            id = found
            end = place
          }
        }
        if place == word.count { break }
        cell = trie.step(from: cell, by: word[place])
        place += 1
      }
      if id < 0 { return false }
      body(id, start..<end)
      start = end
      cell = continuation
    }
    return true
  }
}
