/// Trains a WordPiece vocabulary from raw text by pair frequency.
///
/// As with Hugging Face's WordPieceTrainer, the vocabulary has the special tokens, then the
/// alphabet, then the merged tokens, the most frequent pair first.
///
///     var trainer = VocabularyTrainer(size: 30522, normalization: .uncased, threads: 8)
///     try trainer.count({ try reader.next() }, text: { $0.joined })
///     let vocabulary = try trainer.train().vocabulary
///
/// The vocabulary does not depend on the number of threads. Words with a character outside the
/// alphabet are ignored.
package struct VocabularyTrainer {
  /// The requested number of tokens; a small text may give fewer.
  package let size: Int
  /// The maximum number of characters in the alphabet; the rarest are excluded.
  ///
  /// If nil, the limit is 1000, or higher if more characters are needed to cover 99.95 % of the
  /// text and fit into the vocabulary.
  package let alphabetLimit: Int?
  /// The minimum number of occurrences of a pair that becomes a token.
  package let minimumFrequency: Int
  /// The number of tokens that text never contains: `[unused0]`, `[unused1]` and so on.
  ///
  /// They come after `[PAD]`, as in BERT's vocabularies, and can be renamed in the trained model.
  package var reserved = 0
  private var counter: WordCounter

  /// Creates a trainer whose memory is bounded by `capacity`, in bytes of distinct words.
  ///
  /// When the distinct words exceed it, the rarest are discarded until half of it is left. The
  /// default of 12 million keeps training below a gigabyte for any text.
  package init(
    size: Int, normalization: TextNormalization, threads: Int, alphabetLimit: Int? = nil,
    minimumFrequency: Int = 2, capacity: Int = 12_000_000
  ) {
    self.size = size
    self.alphabetLimit = alphabetLimit
    self.minimumFrequency = minimumFrequency
    counter = WordCounter(normalization, threads: threads, capacity: capacity)
  }

  /// The number of distinct words counted so far.
  package var wordCount: Int { counter.table.wordCount }

  /// Counts the words of all blocks that `next` returns until nil.
  ///
  /// A block is about a megabyte of whole lines. `next` is called from any thread, but never
  /// concurrently; `text` returns the UTF-8 text of a block and is called concurrently. Rethrows
  /// the first error of either, in the order of the blocks.
  package mutating func count<Block: Sendable>(
    _ next: sending @escaping () throws -> Block?,
    text: @escaping @Sendable (Block) throws -> [UInt8]
  ) throws {
    try counter.count(next, text: text)
  }

  /// A vocabulary, and how much of the counted text it covers.
  package struct Outcome {
    package let vocabulary: Vocabulary
    /// The number of characters in the alphabet, and of those in the text that it excludes.
    package var alphabetSize = 0
    package var omittedCharacters = 0
    /// The occurrences of all words, of words with a character outside the alphabet, and of words
    /// of more than 100 characters.
    package var words = 0
    package var uncoveredWords = 0
    package var longWords = 0
  }

  /// The tokens before the alphabet: `[PAD]`, the reserved ones, the other special ones.
  private var firstTokens: [String] {
    let special = SpecialTokens.names
    return special.prefix(1) + (0..<reserved).map { "[unused\($0)]" } + special.dropFirst()
  }

  /// Trains the vocabulary on the counted words.
  ///
  /// `progress` is called periodically with the number of tokens. Throws `noWords` or
  /// `sizeTooSmall`.
  package func train(
    progress: (Int) -> Void = { _ in }
  ) throws(TokenizationError) -> Outcome {
    let words = counter.table
    if words.wordCount == 0 { throw .noWords }
    let firstCount = SpecialTokens.names.count + reserved
    let alphabet = Alphabet(of: words, limit: alphabetLimit, room: size - firstCount)
    // Before the tokens are made, since a thousand million reserved ones exceed any memory.
    let needed = firstCount + alphabet.tokens.count
    if needed > size { throw .sizeTooSmall(size: size, needed: needed) }
    var merger = PairMerger(tokens: firstTokens.map { Array($0.utf8) } + alphabet.tokens)
    var (total, uncovered) = (counter.longWords, 0)
    words.visit { word, count in
      total += count
      if let ids = alphabet.ids(of: word, offset: firstCount) {
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
      words: total, uncoveredWords: uncovered, longWords: counter.longWords)
  }
}
