/// Trains a WordPiece vocabulary from raw text by pair frequency, as Hugging Face's WordPieceTrainer:
/// special tokens, then the alphabet, then the tokens of merges, the most frequent first.
///
///     var trainer = VocabularyTrainer(size: 30522, normalization: .uncased, threads: 8)
///     try trainer.count({ try reader.next() }, text: { $0.joined })
///     let vocabulary = try trainer.train().vocabulary
///
/// The same text gives the same vocabulary on any number of threads. A word with a character outside
/// the alphabet has no tokens and plays no part.
package struct VocabularyTrainer {
  /// The number of tokens wanted; a small text may give fewer.
  package let size: Int
  /// The most characters that the alphabet may hold; the rarest are left out. nil for 1000, or as
  /// many more as cover 99.95 % of the text's characters and fit into the vocabulary.
  package let alphabetLimit: Int?
  /// How often a pair must be seen to become a token.
  package let minimumFrequency: Int
  private var counter: WordCounter

  /// `capacity` bounds the memory: when the different words have more bytes, the rarest are forgotten
  /// down to half of it. 12 million keep the training of any text below a gigabyte.
  package init(
    size: Int, normalization: TextNormalization, threads: Int, alphabetLimit: Int? = nil,
    minimumFrequency: Int = 2, capacity: Int = 12_000_000
  ) {
    self.size = size
    self.alphabetLimit = alphabetLimit
    self.minimumFrequency = minimumFrequency
    counter = WordCounter(normalization, threads: threads, capacity: capacity)
  }

  /// The number of different words counted so far.
  package var wordCount: Int { counter.table.wordCount }

  /// Counts the words of all chunks (about a megabyte of whole lines each) that `next` gives until
  /// nil. It is called from any thread, but by one at a time; `text` makes the UTF-8 text of a chunk,
  /// on all threads at once. The first error of either, in the order of the chunks, is passed on.
  package mutating func count<Chunk: Sendable>(
    _ next: sending @escaping () throws -> Chunk?,
    text: @escaping @Sendable (Chunk) throws -> [UInt8]
  ) throws {
    try counter.count(next, text: text)
  }

  /// A vocabulary, and how much of the counted text it has tokens for.
  package struct Outcome {
    package let vocabulary: Vocabulary
    /// The characters of the alphabet, and those of the text that were left out.
    package var alphabetSize = 0
    package var omittedCharacters = 0
    /// All words of the text; those with a character outside the alphabet; those above 100 characters.
    package var words = 0
    package var uncoveredWords = 0
    package var longWords = 0
  }

  /// Makes the vocabulary; `progress` is called with the number of tokens now and then. Throws
  /// `noWords` and `sizeTooSmall`.
  package func train(
    progress: (Int) -> Void = { _ in }
  ) throws(TokenizationError) -> Outcome {
    let words = counter.table
    if words.wordCount == 0 { throw .noWords }
    let alphabet = Alphabet(
      of: words, limit: alphabetLimit, room: size - SpecialTokens.names.count)
    let tokens = SpecialTokens.names.map { Array($0.utf8) } + alphabet.tokens
    if tokens.count > size { throw .sizeTooSmall(size: size, needed: tokens.count) }
    var merger = PairMerger(tokens: tokens)
    var (seen, uncovered) = (counter.longWords, 0)
    words.visit { word, count in
      seen += count
      if let ids = alphabet.ids(of: word, offset: SpecialTokens.names.count) {
        merger.addWord(ids, count: count)
      } else {
        uncovered += count
      }
    }
    merger.merge(to: size, atLeast: minimumFrequency, progress: progress)
    let vocabulary = try Vocabulary(
      tokens: merger.tokens.map { String(decoding: $0, as: UTF8.self) }, source: "in training")
    return Outcome(
      vocabulary: vocabulary, alphabetSize: alphabet.count, omittedCharacters: alphabet.omitted,
      words: seen, uncoveredWords: uncovered, longWords: counter.longWords)
  }
}
