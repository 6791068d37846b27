/// The layout of a shard file.
///
/// All numbers are little-endian; fields have 4 bytes unless stated; checksums are CRC-32C.
///
///     header, 64 bytes:
///       "ELECTRA\n" (8)  version  bytes per token (2 or 4)  examples per block  blocks
///       examples (8)  offset of the block table (8)  vocabulary (8)
///       zeros  checksum of the header, in the last 4 bytes
///     for each block:
///       length of each example (2)  length of the first segment of each example (2)
///       tokens of all examples
///     block table:
///       for each block: offset (8)  size in bytes  checksum
///       checksum of the table
///
/// Every block of a split except the last has the same number of examples. So the block and index
/// of an example follow from its number. A block is read and verified as a whole.
enum ShardFormat {
  static let version: UInt32 = 1
  static let magic: [UInt8] = Array("ELECTRA\n".utf8)
  static let headerBytes = 64
  static let tableEntryBytes = 16
  /// The number of examples in a block: about a megabyte at 128 tokens of two bytes.
  static let blockExamples = 4096
  /// The size in bytes from which on a file is closed after a block.
  static let fileBytes = 256 << 20

  /// The size in bytes of a token id, which depends on the vocabulary.
  static func tokenBytes(vocabularySize: Int) -> Int { vocabularySize <= 65536 ? 2 : 4 }

  /// The first 64 bits of a vocabulary's digest, which the header stores.
  static func vocabularyMark(_ digest: String) -> UInt64 {
    UInt64(digest.prefix(16), radix: 16) ?? 0
  }

  /// The contents of a header, without magic, version and checksum.
  struct Header: Equatable {
    var tokenBytes: Int
    var blockExamples: Int
    var blocks: Int
    var examples: Int
    var tableOffset: Int
    var vocabulary: UInt64
  }
}

extension [UInt8] {
  /// Appends a number, little-endian.
  mutating func append<Number: FixedWidthInteger>(number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends a token id with `size` bytes, 2 or 4 (`ShardFormat.tokenBytes`).
  mutating func append(token: Int32, size: Int) {
    if size == 2 {
      append(number: UInt16(truncatingIfNeeded: token))
    } else {
      append(number: token)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The little-endian number at byte `offset`, which must be within the buffer.
  func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Number.Type
  ) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// The token id of `size` bytes, 2 or 4, at byte `offset`.
  func token(at offset: Int, size: Int) -> Int32 {
    size == 2 ? Int32(number(at: offset, as: UInt16.self)) : number(at: offset, as: Int32.self)
  }
}
