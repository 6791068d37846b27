/// Turns text into the ids of a vocabulary: BERT's WordPiece, with the ids of Hugging Face's
/// `tokenizers` (BertWordPieceTokenizer) for every text.
///
///     let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: .uncased)
///     let ids = tokenizer.encode("Time flies.")
///
/// The text is normalised and split into words (`WordSplitter`); each word is covered from the left by
/// the longest token that fits, tokens behind the first being those that begin with `##`. A word that
/// cannot be covered, or is longer than `maximumCharacters`, is `[UNK]`. No `[CLS]` or `[SEP]` is added.
package struct Tokenizer: Sendable {
  package let vocabulary: Vocabulary
  package let normalization: TextNormalization
  /// The longest word, in characters, that is looked up; at most 100.
  package let maximumCharacters: Int
  /// The tokens that are found in the text by their names.
  package let addedTokens: [AddedToken]
  private let splitter: WordSplitter
  private let matcher: WordMatcher

  /// - Parameters:
  ///   - maximumCharacters: 100 by default.
  ///   - addedTokens: the five special tokens by default.
  package init(
    vocabulary: Vocabulary, normalization: TextNormalization, maximumCharacters: Int? = nil,
    addedTokens: [AddedToken]? = nil
  ) {
    self.vocabulary = vocabulary
    self.normalization = normalization
    self.maximumCharacters = maximumCharacters ?? WordBuffer.maximumCharacters
    self.addedTokens = addedTokens ?? vocabulary.special.added
    precondition(self.maximumCharacters <= WordBuffer.maximumCharacters, "no room for such words")
    splitter = WordSplitter(normalization, added: self.addedTokens)
    matcher = WordMatcher(vocabulary, maximumCharacters: self.maximumCharacters)
  }

  /// Appends the ids of one line of valid UTF-8.
  package func encode(_ bytes: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    var sink = IdentifierSink(matcher: matcher)
    swap(&sink.ids, &ids)
    splitter.split(bytes, into: &sink)
    swap(&sink.ids, &ids)
  }

  /// The ids of a text.
  package func encode(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    var text = text
    text.withUTF8 { encode($0, into: &ids) }
    return ids
  }

  /// A token and the part of the text that it came from.
  package struct Piece: Equatable {
    /// The token's id.
    package let id: Int32
    /// The range of the text, from the first to the last character that the token stands for.
    package let range: Range<String.Index>
  }

  /// The tokens of valid UTF-8, each with the range of bytes from the first to the last character that
  /// it stands for. The ids are those of `encode`.
  package func places(of bytes: UnsafeBufferPointer<UInt8>) -> [(id: Int32, range: Range<Int>)] {
    var sink = PieceSink(matcher: matcher)
    splitter.split(bytes, into: &sink)
    return sink.pieces
  }

  /// The tokens of a text with their places. The ids are those of `encode`.
  package func words(of text: String) -> [Piece] {
    var copy = text
    let pieces = copy.withUTF8 { places(of: $0) }
    let utf8 = copy.utf8
    var offset = 0
    var index = utf8.startIndex
    func move(to target: Int) -> String.Index {
      index = utf8.index(index, offsetBy: target - offset)
      offset = target
      return index
    }
    return pieces.map { id, range in
      let start = move(to: range.lowerBound)
      return Piece(id: id, range: start..<move(to: range.upperBound))
    }
  }
}

/// Appends ids.
private struct IdentifierSink: WordSink {
  static var wantsSources: Bool { false }
  let matcher: WordMatcher
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

/// Appends ids with the ranges of bytes that they come from.
private struct PieceSink: WordSink {
  static var wantsSources: Bool { true }
  let matcher: WordMatcher
  var pieces: [(id: Int32, range: Range<Int>)] = []

  mutating func word(_ word: WordBuffer) {
    let count = pieces.count
    let sources = word.sources
    let covered = matcher.match(word) { id, range in
      pieces.append((id, Self.hull(sources, range)))
    }
    if !covered {
      pieces.removeLast(pieces.count - count)
      pieces.append((matcher.unknown, Self.hull(sources, 0..<word.count)))
    }
  }

  mutating func special(_ id: Int32, from range: Range<Int>) { pieces.append((id, range)) }

  /// The smallest range that holds the sources of the bytes of `range`, which is not empty.
  private static func hull(
    _ sources: UnsafeMutablePointer<Range<Int>>, _ range: Range<Int>
  ) -> Range<Int> {
    let parts = range.map { sources[$0] }
    let start = parts.reduce(Int.max) { min($0, $1.lowerBound) }
    return start..<parts.reduce(start) { max($0, $1.upperBound) }
  }
}
