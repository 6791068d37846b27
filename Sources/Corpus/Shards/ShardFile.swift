import Foundation
import Layers
import Platform
import Synchronization

/// A shard file, mapped into memory; everything read from it is validated before use.
final class ShardFile: Sendable {
  let path: String
  let header: ShardFormat.Header
  /// The size of the file in bytes.
  var size: Int { data.count }
  /// The checksum of the block table in hexadecimal, as in `data.json`.
  ///
  /// The table contains the checksums of the blocks, so it identifies the whole contents.
  var checksum: String {
    data.withUnsafeBytes { bytes in
      let end = header.tableOffset + header.blocks * ShardFormat.tableEntryBytes
      return String(bytes.number(at: end, as: UInt32.self), radix: 16)
    }
  }
  private let data: Data
  private let limits: Limits
  /// For each block, whether its contents have been verified.
  private let verified: Mutex<[Bool]>

  /// The limits that every example must respect.
  ///
  /// `length` is the maximum number of tokens; token ids are less than `vocabularySize`.
  struct Limits {
    let length: Int
    let vocabularySize: Int
  }

  /// Maps the file and validates header and block table, but no block.
  ///
  /// Throws `FileError.unreadable` or `CorpusError.notAShard`.
  init(path: String, limits: Limits) throws {
    self.path = path
    self.limits = limits
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw FileError.unreadable(
        path: path, reason: "the file is missing or cannot be opened")
    }
    let checked = data.withUnsafeBytes { bytes in
      adviseRandomAccess(bytes)
      return Result { () throws(CorpusError) in try Self.header(bytes, path: path) }
    }
    header = try checked.get()
    verified = Mutex([Bool](repeating: false, count: header.blocks))
  }

  private static func header(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(CorpusError) -> ShardFormat.Header {
    func fail(_ reason: String) -> CorpusError { .notAShard(path: path, reason: reason) }
    guard bytes.count >= ShardFormat.headerBytes else { throw fail("it is too short") }
    guard bytes.prefix(8).elementsEqual(ShardFormat.magic) else { throw fail("it is not a shard") }
    let version = bytes.number(at: 8, as: UInt32.self)
    guard version == ShardFormat.version else {
      throw fail("its format is version \(version), but this program reads \(ShardFormat.version)")
    }
    let fields = UnsafeRawBufferPointer(rebasing: bytes[..<(ShardFormat.headerBytes - 4)])
    guard CRC32C.of(fields) == bytes.number(at: ShardFormat.headerBytes - 4, as: UInt32.self) else {
      throw fail("its header is damaged")
    }
    let header = ShardFormat.Header(
      tokenBytes: Int(bytes.number(at: 12, as: UInt32.self)),
      blockExamples: Int(bytes.number(at: 16, as: UInt32.self)),
      blocks: Int(bytes.number(at: 20, as: UInt32.self)),
      examples: Int(truncatingIfNeeded: bytes.number(at: 24, as: UInt64.self)),
      tableOffset: Int(truncatingIfNeeded: bytes.number(at: 32, as: UInt64.self)),
      vocabulary: bytes.number(at: 40, as: UInt64.self))
    let tableBytes = header.blocks * ShardFormat.tableEntryBytes
    guard header.tableOffset >= ShardFormat.headerBytes,
      header.tableOffset <= bytes.count - tableBytes - 4,
      [2, 4].contains(header.tokenBytes), header.blockExamples == ShardFormat.blockExamples,
      header.examples >= 0,
      header.examples <= header.blocks * header.blockExamples,
      header.blocks == 0 || header.examples > (header.blocks - 1) * header.blockExamples
    else { throw fail("it is truncated, or its header is invalid") }
    let table = UnsafeRawBufferPointer(
      rebasing: bytes[header.tableOffset..<header.tableOffset + tableBytes])
    guard
      CRC32C.of(table) == bytes.number(at: header.tableOffset + tableBytes, as: UInt32.self)
    else { throw fail("its block table is damaged") }
    return header
  }

  /// The number of examples in `block`.
  func examples(in block: Int) -> Int {
    min(header.blockExamples, header.examples - block * header.blockExamples)
  }

  /// Appends example `index` of `block` to `batch`; throws `CorpusError.damagedBlock`.
  func append(_ index: Int, of block: Int, to batch: inout Batch) throws(CorpusError) {
    precondition((0..<header.blocks).contains(block), "the block is not in this file")
    let count = examples(in: block)
    precondition((0..<count).contains(index), "the example is not in this block")
    let isSound = data.withUnsafeBytes { bytes in
      guard let payload = verifiedBlock(block, bytes) else { return false }
      var start = 4 * count
      for i in 0..<index {
        start += Int(payload.number(at: 2 * i, as: UInt16.self)) * header.tokenBytes
      }
      let length = Int(payload.number(at: 2 * index, as: UInt16.self))
      let first = Int(payload.number(at: 2 * (count + index), as: UInt16.self))
      // Arrays, not lazy sequences: `Batch`, in another module, copies an array as a whole.
      let tokens = [Int32](unsafeUninitializedCapacity: length) { tokens, count in
        for i in 0..<length {
          let offset = start + i * header.tokenBytes
          tokens.initializeElement(at: i, to: payload.token(at: offset, size: header.tokenBytes))
        }
        count = length
      }
      var segmentIDs = [UInt8](repeating: 0, count: length)
      for i in first..<length { segmentIDs[i] = 1 }
      batch.append(tokens: tokens, segmentIDs: segmentIDs)
      return true
    }
    if !isSound { throw .damagedBlock(path: path, block: block) }
  }

  /// Asks the system to read all of `block` ahead.
  func beginReading(_ block: Int) {
    data.withUnsafeBytes { bytes in
      if let payload = blockBytes(of: block, bytes) { Platform.prefetchPages(payload) }
    }
  }

  /// Releases the memory of `block`; the system reads it again if needed.
  func releasePages(_ block: Int) {
    data.withUnsafeBytes { bytes in
      if let payload = blockBytes(of: block, bytes) { Platform.releasePages(payload) }
    }
  }

  /// The bytes of a block by the block table; nil if the entry is out of range.
  private func blockBytes(
    of block: Int, _ bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let entry = header.tableOffset + block * ShardFormat.tableEntryBytes
    let offset = Int(truncatingIfNeeded: bytes.number(at: entry, as: UInt64.self))
    let size = Int(bytes.number(at: entry + 8, as: UInt32.self))
    guard offset >= ShardFormat.headerBytes, offset <= header.tableOffset,
      size <= header.tableOffset - offset
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + size])
  }

  /// The bytes of a block; nil if they are damaged.
  ///
  /// The lock is not held during verification: two threads may verify a block at the same time,
  /// with the same result.
  private func verifiedBlock(
    _ block: Int, _ bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    guard let payload = blockBytes(of: block, bytes) else { return nil }
    if verified.withLock({ $0[block] }) { return payload }
    let entry = header.tableOffset + block * ShardFormat.tableEntryBytes
    guard CRC32C.of(payload) == bytes.number(at: entry + 12, as: UInt32.self),
      isSound(payload, count: examples(in: block))
    else { return nil }
    verified.withLock { $0[block] = true }
    return payload
  }

  /// Whether lengths and token ids are within the limits.
  ///
  /// The checksum alone is not sufficient, because another program may have written the file.
  private func isSound(_ block: UnsafeRawBufferPointer, count: Int) -> Bool {
    guard block.count >= 4 * count else { return false }
    var tokens = 0
    for index in 0..<count {
      let length = Int(block.number(at: 2 * index, as: UInt16.self))
      let first = Int(block.number(at: 2 * (count + index), as: UInt16.self))
      guard (1...limits.length).contains(length), first <= length else { return false }
      tokens += length
    }
    guard block.count == 4 * count + tokens * header.tokenBytes else { return false }
    var highest: UInt32 = 0
    for offset in stride(from: 4 * count, to: block.count, by: header.tokenBytes) {
      let token = block.token(at: offset, size: header.tokenBytes)
      highest = max(highest, UInt32(bitPattern: token))
    }
    return highest < limits.vocabularySize
  }
}
