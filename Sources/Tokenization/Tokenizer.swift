/// Encodes text as the token ids of a vocabulary with BERT's WordPiece algorithm.
///
/// The algorithm is that of Devlin et al., "BERT" (2019). For every text, the ids equal those of
/// Hugging Face's `tokenizers` (BertWordPieceTokenizer).
///
///     let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: .uncased)
///     let ids = tokenizer.encode("Time flies.")
///
/// `WordSplitter` normalises the text and splits it into words. `WordPieceMatcher` splits each word
/// into tokens. The first token is the longest that begins the word; each next one is the longest
/// `##` token that continues it. A word without such a split, or with more than `maximumCharacters`
/// characters, becomes `[UNK]`. No `[CLS]` or `[SEP]` is added.
package struct Tokenizer: Sendable {
  package let vocabulary: Vocabulary
  package let normalization: TextNormalization
  /// The maximum length, in characters, of a word that is looked up; at most 100.
  package let maximumCharacters: Int
  /// The tokens that are recognized in raw text by their names.
  package let addedTokens: [AddedToken]
  private let splitter: WordSplitter
  private let matcher: WordPieceMatcher

  /// Creates a tokenizer; by default it recognizes the five special tokens in text.
  ///
  /// `maximumCharacters` is 100 by default and must not be larger.
  package init(
    vocabulary: Vocabulary, normalization: TextNormalization, maximumCharacters: Int? = nil,
    addedTokens: [AddedToken]? = nil
  ) {
    self.vocabulary = vocabulary
    self.normalization = normalization
    self.maximumCharacters = maximumCharacters ?? WordBuffer.maximumCharacters
    self.addedTokens = addedTokens ?? vocabulary.special.added
    precondition(
      self.maximumCharacters <= WordBuffer.maximumCharacters,
      "words longer than WordBuffer.maximumCharacters are not supported")
    splitter = WordSplitter(normalization, added: self.addedTokens)
    matcher = WordPieceMatcher(vocabulary, maximumCharacters: self.maximumCharacters)
  }

  /// Appends the ids of `bytes` to `ids`.
  ///
  /// The bytes are valid UTF-8, usually one line; malformed bytes give unspecified but valid ids.
  /// Empty text appends nothing.
  package func encode(_ bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    var sink = IDSink(matcher: matcher)
    swap(&sink.ids, &ids)
    splitter.split(bytes, into: &sink)
    swap(&sink.ids, &ids)
  }

  /// The ids of `text`.
  package func encode(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    var text = text
    text.withUTF8 { encode($0, into: &ids) }
    return ids
  }

  /// A token and its range in the text.
  package struct Token: Equatable {
    /// The token's id.
    package let id: Int32
    /// The range from the first to the last character that the token represents.
    package let range: Range<String.Index>
  }

  /// The tokens of UTF-8 text, each with the byte range that it represents.
  ///
  /// A range extends from the first to the last character of the token and includes characters
  /// between them that normalisation removes. The ids equal those of `encode(_:into:)`.
  package func tokenRanges(of bytes: UnsafeBufferPointer<UInt8>) -> [(id: Int32, range: Range<Int>)]
  {
    var sink = TokenRangeSink(matcher: matcher)
    splitter.split(bytes, into: &sink)
    return sink.tokens
  }

  /// The tokens of `text` with their ranges; the ids equal those of `encode(_:)`.
  package func tokens(of text: String) -> [Token] {
    var copy = text
    let tokens = copy.withUTF8 { tokenRanges(of: $0) }
    let utf8 = copy.utf8
    var offset = 0
    var index = utf8.startIndex
    func move(to target: Int) -> String.Index {
      index = utf8.index(index, offsetBy: target - offset)
      offset = target
      return index
    }
    return tokens.map { id, range in
      let start = move(to: range.lowerBound)
      return Token(id: id, range: start..<move(to: range.upperBound))
    }
  }
}

/// Collects token ids.
private struct IDSink: WordSink {
  static var wantsSources: Bool { false }
  let matcher: WordPieceMatcher
  var ids: [Int32] = []

  @inline(__always)
  mutating func word(_ word: WordBuffer) {
    let count = ids.count
    let covered = matcher.match(word) { id, _ in ids.append(id) }
    if !covered {
      ids.removeLast(ids.count - count)
      ids.append(matcher.unknown)
    }
  }

  mutating func special(_ id: Int32, from range: Range<Int>) { ids.append(id) }
}

/// Collects token ids with the byte ranges that they represent.
private struct TokenRangeSink: WordSink {
  static var wantsSources: Bool { true }
  let matcher: WordPieceMatcher
  var tokens: [(id: Int32, range: Range<Int>)] = []

  mutating func word(_ word: WordBuffer) {
    let count = tokens.count
    let sources = word.sources
    let covered = matcher.match(word) { id, range in
      tokens.append((id, Self.hull(sources, range)))
    }
    if !covered {
      tokens.removeLast(tokens.count - count)
      tokens.append((matcher.unknown, Self.hull(sources, 0..<word.count)))
    }
  }

  mutating func special(_ id: Int32, from range: Range<Int>) { tokens.append((id, range)) }

  /// The smallest range that contains the sources of all bytes in `range`, which is not empty.
  ///
  /// Reordered marks can have sources out of order, so all of them are compared.
  private static func hull(
    _ sources: UnsafeMutablePointer<Range<Int>>, _ range: Range<Int>
  ) -> Range<Int> {
    let parts = range.map { sources[$0] }
    let start = parts.reduce(Int.max) { min($0, $1.lowerBound) }
    return start..<parts.reduce(start) { max($0, $1.upperBound) }
  }
}
