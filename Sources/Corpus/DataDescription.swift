import Foundation
import Platform
import Tokenization

/// The contents of `data.json`, which describes a folder of prepared data.
///
/// It records how the data was made, its files, and statistics of the text.
package struct DataDescription: Sendable, Codable, Equatable {
  package var formatVersion = Int(ShardFormat.version)
  /// The maximum length of an example, in tokens, special tokens included.
  package var maximumLength: Int
  package var vocabularySize: Int
  /// The SHA-256 of all tokens, one per line, in hexadecimal; that of `vocab.txt` unless there are
  /// added tokens.
  package var vocabularyDigest: String
  package var normalization: TextNormalization
  package var seed: UInt64
  package var heldOutFraction: Double
  package var report: Report
  var trainFiles: [File] = []
  var heldOutFiles: [File] = []

  /// A shard file.
  package struct File: Sendable, Codable, Equatable {
    package var name: String
    package var bytes: Int
    package var examples: Int
    /// The checksum of its block table, and thereby of all blocks, in hexadecimal.
    package var checksum: String
  }

  /// Counts of documents, lines, tokens and examples.
  ///
  /// They are those of the whole text, but `examples` are the training examples only.
  package struct Report: Sendable, Codable, Equatable {
    package var documents = 0
    package var heldOutDocuments = 0
    package var sentences = 0
    package var invalidLines = 0
    /// The number of tokens, without the special tokens of examples.
    package var tokens = 0
    /// The number of tokens that are in no example (`ExampleBuilder`).
    package var droppedTokens = 0
    /// The number of `[UNK]` among the tokens.
    package var unknownTokens = 0
    /// The number of special tokens named in the text ([MASK], [SEP], ...); nil if there are none.
    package var literalSpecialTokens: Int?
    package var examples = 0
    package var heldOutExamples = 0
    /// The numbers of examples by length, in eighths of the maximum length.
    package var lengths = [Int](repeating: 0, count: 8)

    private enum CodingKeys: String, CodingKey {
      case documents
      case heldOutDocuments = "held_out_documents"
      case sentences
      case invalidLines = "invalid_lines"
      case tokens
      case droppedTokens = "dropped_tokens"
      case unknownTokens = "unknown_tokens"
      case literalSpecialTokens = "literal_special_tokens"
      case examples
      case heldOutExamples = "held_out_examples"
      case lengths
    }
  }

  /// The SHA-256 of everything that determines the examples: the vocabulary and all shards.
  package var digest: String {
    let parts = [vocabularyDigest] + (trainFiles + heldOutFiles).map(\.checksum)
    return SHA256.hexadecimal(Array(parts.joined(separator: " ").utf8))
  }

  private enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case maximumLength = "max_seq_length"
    case vocabularySize = "vocab_size"
    case vocabularyDigest = "vocab_sha256"
    case normalization
    case seed
    case heldOutFraction = "held_out"
    case report
    case trainFiles = "train"
    case heldOutFiles = "heldout"
  }

  /// Reads the description in `folder`; throws `FileError.unreadable` or `CorpusError.notAShard`.
  init(folder: String) throws {
    let path = folder + "/data.json"
    let data: Data
    do {
      data = Data(try InputFile.contents(of: path))
    } catch FileError.missing {
      throw FileError.unreadable(
        path: path, reason: "there is no such file; was it made by prepare?")
    }
    let version = try? JSONDecoder().decode(Version.self, from: data).number
    if let version, version != Int(ShardFormat.version) {
      throw CorpusError.notAShard(
        path: path,
        reason:
          "its format is version \(version), but this program reads \(ShardFormat.version); "
          + "prepare the data again")
    }
    guard let description = try? JSONDecoder().decode(Self.self, from: data),
      (1...512).contains(description.maximumLength)
    else { throw CorpusError.notAShard(path: path, reason: "prepare does not write such contents") }
    self = description
  }

  /// The only field that every version of the format has.
  private struct Version: Decodable {
    let number: Int

    private enum CodingKeys: String, CodingKey {
      case number = "format_version"
    }
  }

  init(
    maximumLength: Int, vocabulary: Vocabulary, normalization: TextNormalization, seed: UInt64,
    heldOutFraction: Double, report: Report
  ) {
    self.maximumLength = maximumLength
    vocabularySize = vocabulary.size
    vocabularyDigest = vocabulary.digest
    self.normalization = normalization
    self.seed = seed
    self.heldOutFraction = heldOutFraction
    self.report = report
  }

  /// The JSON document with sorted keys and a final line end.
  func encoded() throws -> [UInt8] { Array(try jsonDocument()) + [0x0A] }
}
