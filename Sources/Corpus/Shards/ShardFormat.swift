/// The layout of a shard file, little-endian throughout:
///
///     header, 64 bytes:
///       "ELECTRA\n"  version  bytes a token (2 or 4)  examples a block  blocks
///       examples (8 bytes)  place of the block table (8 bytes)  vocabulary (8 bytes)
///       its own checksum in the last 4 bytes
///     blocks, each:  lengths (2 bytes an example)  first segments' lengths (2 bytes an example)
///                    tokens of all examples
///     block table:   place (8 bytes)  bytes (4)  checksum (4), a block; its own checksum
///
/// Every block but the last of a set holds the same number of examples, so the place of an example
/// follows from its number alone. A block is read, and its checksum verified, as a whole.
enum ShardFormat {
  static let version: UInt32 = 1
  static let magic: [UInt8] = Array("ELECTRA\n".utf8)
  static let headerBytes = 64
  static let tableEntryBytes = 16
  /// Examples a block: about a megabyte of 128 tokens.
  static let blockExamples = 4096
  /// Bytes after which a file ends with its block.
  static let fileBytes = 256 << 20

  /// Bytes of a token in files of this vocabulary.
  static func tokenBytes(vocabularySize: Int) -> Int { vocabularySize <= 65536 ? 2 : 4 }

  /// The beginning of a vocabulary's digest, as the header holds it.
  static func vocabularyMark(_ digest: String) -> UInt64 {
    UInt64(digest.prefix(16), radix: 16) ?? 0
  }

  /// What a header says.
  struct Header: Equatable {
    var tokenBytes: Int
    var blockExamples: Int
    var blocks: Int
    var examples: Int
    var tablePlace: Int
    var vocabulary: UInt64
  }
}

extension [UInt8] {
  /// Appends a number, little-endian.
  mutating func append<Number: FixedWidthInteger>(number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}

extension UnsafeRawBufferPointer {
  /// The little-endian number at `place`; the caller has checked that it lies inside.
  func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at place: Int, as type: Number.Type
  ) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: place, as: type))
  }
}
