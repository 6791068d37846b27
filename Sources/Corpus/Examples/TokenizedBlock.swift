import Platform
import Tokenization

/// The tokens of consecutive documents, from which examples are built.
///
/// It does not depend on the number of a document, so it can be made before that is known.
package struct TokenizedBlock: Sendable, Equatable {
  /// The ids of all sentences, one after the other, without special tokens of examples.
  package private(set) var tokens: [Int32] = []
  /// The number of tokens of each sentence; none is empty.
  package private(set) var sentences: [Int32] = []
  /// The number of sentences of each document; some may be empty.
  package private(set) var documents: [Int32] = []
  /// The number of invalid lines that were skipped.
  private(set) var invalidLines = 0

  /// Tokenizes the lines of a block; a long line becomes several sentences.
  ///
  /// If `invalidText` is `stop`, throws `CorpusError.badLine` for the first invalid line.
  init(
    _ source: TextBlock, tokenizer: Tokenizer, invalidText: InvalidText
  ) throws(CorpusError) {
    var block = source
    invalidLines = try block.validate(invalidText)
    for lines in block.documents {
      let before = sentences.count
      block.bytes.withUnsafeBufferPointer { bytes in
        for line in block.lines[lines] {
          add(UnsafeBufferPointer(rebasing: bytes[line.bytes]), tokenizer)
        }
      }
      documents.append(Int32(sentences.count - before))
    }
  }

  private mutating func add(_ line: UnsafeBufferPointer<UInt8>, _ tokenizer: Tokenizer) {
    for part in LongLines.parts(line) {
      let before = tokens.count
      tokenizer.encode(UnsafeBufferPointer(rebasing: line[part]), into: &tokens)
      if tokens.count > before { sentences.append(Int32(tokens.count - before)) }
    }
  }
}

/// A part of the text of a preparation: a block of text, or tokens that were stored.
package protocol TokenSource: Sendable {
  /// The number of its documents, which number those after it.
  var documentCount: Int { get }
  /// The number of bytes of input, for progress reports.
  var inputBytes: Int { get }
  /// The memory use in bytes.
  var weight: Int { get }

  /// The tokens; called on any thread. Throws `CorpusError.badLine`.
  func tokens(_ tokenizer: Tokenizer, _ invalidText: InvalidText) throws -> TokenizedBlock
}

extension TextBlock: TokenSource {
  package var documentCount: Int { documents.count }

  package func tokens(
    _ tokenizer: Tokenizer, _ invalidText: InvalidText
  ) throws -> TokenizedBlock {
    try TokenizedBlock(self, tokenizer: tokenizer, invalidText: invalidText)
  }
}

/// A tokenized block as bytes, for a file or a message between ranks.
///
/// All numbers are little-endian: bytes of input, documents, sentences, tokens and invalid lines
/// (8 bytes each), sentences of each document (4), tokens of each sentence (4), and the tokens (2
/// or 4, as in a shard).
package struct StoredTokens: TokenSource {
  package let bytes: [UInt8]

  fileprivate static let headerBytes = 40

  /// Takes bytes that `init(_:inputBytes:vocabularySize:)` made.
  package init(bytes: [UInt8]) {
    precondition(bytes.count >= Self.headerBytes, "stored tokens without a header")
    self.bytes = bytes
  }

  /// Stores a block that was made from `inputBytes` of input, with ids below `vocabularySize`.
  package init(_ block: TokenizedBlock, inputBytes: Int, vocabularySize: Int) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      Self.headerBytes + 4 * (block.documents.count + block.sentences.count + block.tokens.count))
    for number in [
      inputBytes, block.documents.count, block.sentences.count, block.tokens.count,
      block.invalidLines,
    ] { bytes.append(number: UInt64(number)) }
    for number in block.documents { bytes.append(number: number) }
    for number in block.sentences { bytes.append(number: number) }
    let tokenBytes = ShardFormat.tokenBytes(vocabularySize: vocabularySize)
    for token in block.tokens { bytes.append(token: token, size: tokenBytes) }
    self.bytes = bytes
  }

  /// A number of the header.
  private func header(_ index: Int) -> Int {
    bytes.withUnsafeBytes { Int($0.number(at: 8 * index, as: UInt64.self)) }
  }

  package var inputBytes: Int { header(0) }
  package var documentCount: Int { header(1) }
  package var tokenCount: Int { header(3) }
  package var weight: Int { bytes.count }

  package func tokens(
    _ tokenizer: Tokenizer, _ invalidText: InvalidText
  ) throws -> TokenizedBlock {
    TokenizedBlock(
      self, tokenBytes: ShardFormat.tokenBytes(vocabularySize: tokenizer.vocabulary.size))
  }

  /// The counts of sentences, tokens and invalid lines.
  fileprivate var counts: (sentences: Int, tokens: Int, invalidLines: Int) {
    (header(2), header(3), header(4))
  }
}

extension TokenizedBlock {
  /// Reads stored tokens of `tokenBytes` each.
  fileprivate init(_ stored: StoredTokens, tokenBytes: Int) {
    let (counts, documentCount) = (stored.counts, stored.documentCount)
    invalidLines = counts.invalidLines
    stored.bytes.withUnsafeBytes { bytes in
      let sentencesStart = StoredTokens.headerBytes + 4 * documentCount
      let tokensStart = sentencesStart + 4 * counts.sentences
      documents = (0..<documentCount).map {
        bytes.number(at: StoredTokens.headerBytes + 4 * $0, as: Int32.self)
      }
      sentences = (0..<counts.sentences).map {
        bytes.number(at: sentencesStart + 4 * $0, as: Int32.self)
      }
      tokens = (0..<counts.tokens).map {
        bytes.token(at: tokensStart + tokenBytes * $0, size: tokenBytes)
      }
    }
  }
}
