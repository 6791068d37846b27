import Foundation
import Platform
import Tokenization

/// What `data.json` says of a folder of prepared data: how it was made, what is in it.
package struct DataDescription: Sendable, Codable, Equatable {
  package var formatVersion = Int(ShardFormat.version)
  /// The longest example, in tokens.
  package var maximumLength: Int
  package var vocabularySize: Int
  /// SHA-256 of `vocab.txt`.
  package var vocabularyDigest: String
  package var normalization: TextNormalization
  package var seed: UInt64
  package var heldOutFraction: Double
  package var report: Report
  package var trainFiles: [File] = []
  package var heldOutFiles: [File] = []

  /// One shard.
  package struct File: Sendable, Codable, Equatable {
    package var name: String
    package var bytes: Int
    package var examples: Int
    /// Of the checksums of its blocks.
    package var checksum: String
  }

  /// What became of the text.
  package struct Report: Sendable, Codable, Equatable {
    package var documents = 0
    package var heldOutDocuments = 0
    package var sentences = 0
    package var invalidLines = 0
    package var tokens = 0
    package var droppedTokens = 0
    package var unknownTokens = 0
    /// The tokens whose names stand in the text ([MASK], [SEP], ...); nil when there are none.
    package var literalSpecialTokens: Int?
    package var examples = 0
    package var heldOutExamples = 0
    /// Examples by length, in eighths of the maximum.
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

  /// SHA-256 of what decides the examples: vocabulary and checksums of all shards.
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

  /// The description in `folder`.
  init(folder: String) throws {
    let path = folder + "/data.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError.unreadable(
        path: path, reason: "there is no such file; was it made by prepare?")
    }
    let version = try? JSONDecoder().decode(Version.self, from: data).number
    if let version, version != Int(ShardFormat.version) {
      throw CorpusError.notAShard(
        path: path,
        reason:
          "its format is version \(version), this program reads \(ShardFormat.version); "
          + "prepare the data again")
    }
    guard let description = try? JSONDecoder().decode(Self.self, from: data),
      (1...512).contains(description.maximumLength)
    else { throw CorpusError.notAShard(path: path, reason: "it is not what prepare writes") }
    self = description
  }

  /// The one field that every version of the format has.
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

  /// As JSON, keys sorted.
  func encoded() -> [UInt8] {
    (try? jsonDocument()).map { Array($0) + [0x0A] } ?? []
  }
}
