import Foundation
import Layers
import Platform
import Synchronization

/// One shard file, mapped into memory. Nothing in it is believed before it is checked.
final class ShardFile: Sendable {
  let path: String
  let header: ShardFormat.Header
  /// The bytes of the file.
  var size: Int { data.count }
  /// The checksum of its block table, and so of all checksums of blocks, as `data.json` tells it.
  var checksum: String {
    data.withUnsafeBytes { bytes in
      let end = header.tablePlace + header.blocks * ShardFormat.tableEntryBytes
      return String(bytes.number(at: end, as: UInt32.self), radix: 16)
    }
  }
  private let data: Data
  private let limits: Limits
  /// Whether each block's checksum has been verified.
  private let verified: Mutex<[Bool]>

  /// What every example must keep to.
  struct Limits {
    let length: Int
    let vocabularySize: Int
  }

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
      expectScatteredReads(bytes)
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
    guard bytes.prefix(8).elementsEqual(ShardFormat.magic) else { throw fail("it is no shard") }
    let version = bytes.number(at: 8, as: UInt32.self)
    guard version == ShardFormat.version else {
      throw fail("its format is version \(version), this program reads \(ShardFormat.version)")
    }
    let own = UnsafeRawBufferPointer(rebasing: bytes[..<(ShardFormat.headerBytes - 4)])
    guard CRC32C.of(own) == bytes.number(at: ShardFormat.headerBytes - 4, as: UInt32.self) else {
      throw fail("its header is damaged")
    }
    let header = ShardFormat.Header(
      tokenBytes: Int(bytes.number(at: 12, as: UInt32.self)),
      blockExamples: Int(bytes.number(at: 16, as: UInt32.self)),
      blocks: Int(bytes.number(at: 20, as: UInt32.self)),
      examples: Int(truncatingIfNeeded: bytes.number(at: 24, as: UInt64.self)),
      tablePlace: Int(truncatingIfNeeded: bytes.number(at: 32, as: UInt64.self)),
      vocabulary: bytes.number(at: 40, as: UInt64.self))
    let tableBytes = header.blocks * ShardFormat.tableEntryBytes
    guard header.tablePlace >= ShardFormat.headerBytes,
      header.tablePlace <= bytes.count - tableBytes - 4,
      [2, 4].contains(header.tokenBytes), header.blockExamples == ShardFormat.blockExamples,
      header.examples >= 0,
      header.examples <= header.blocks * header.blockExamples,
      header.blocks == 0 || header.examples > (header.blocks - 1) * header.blockExamples
    else { throw fail("it is truncated, or its header makes no sense") }
    let table = UnsafeRawBufferPointer(
      rebasing: bytes[header.tablePlace..<header.tablePlace + tableBytes])
    guard
      CRC32C.of(table) == bytes.number(at: header.tablePlace + tableBytes, as: UInt32.self)
    else { throw fail("its block table is damaged") }
    return header
  }

  /// The number of examples in `block`.
  func examples(in block: Int) -> Int {
    min(header.blockExamples, header.examples - block * header.blockExamples)
  }

  /// Adds example `index` of `block` to `batch`.
  func append(_ index: Int, of block: Int, to batch: inout Batch) throws(CorpusError) {
    precondition((0..<header.blocks).contains(block), "a block of this file")
    let count = examples(in: block)
    precondition((0..<count).contains(index), "an example of this block")
    let isSound = data.withUnsafeBytes { bytes in
      guard let own = verifiedBlock(block, bytes) else { return false }
      var start = 4 * count
      for i in 0..<index {
        start += Int(own.number(at: 2 * i, as: UInt16.self)) * header.tokenBytes
      }
      let length = Int(own.number(at: 2 * index, as: UInt16.self))
      let first = Int(own.number(at: 2 * (count + index), as: UInt16.self))
      // Arrays, which the other module copies as a whole: a sequence would be asked for each token.
      let tokens = [Int32](unsafeUninitializedCapacity: length) { tokens, count in
        for i in 0..<length {
          tokens.initializeElement(at: i, to: token(own, at: start + i * header.tokenBytes))
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

  /// Begins to read `block`, which will be wanted as a whole.
  func beginReading(_ block: Int) {
    data.withUnsafeBytes { bytes in
      if let own = place(of: block, bytes) { Platform.beginReading(own) }
    }
  }

  /// Gives back the memory that `block` takes; it may be read again.
  func giveBack(_ block: Int) {
    data.withUnsafeBytes { bytes in
      if let own = place(of: block, bytes) { giveBackPages(own) }
    }
  }

  /// Where the table says that a block lies, nil when that is outside the blocks.
  private func place(
    of block: Int, _ bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let entry = header.tablePlace + block * ShardFormat.tableEntryBytes
    let place = Int(truncatingIfNeeded: bytes.number(at: entry, as: UInt64.self))
    let size = Int(bytes.number(at: entry + 8, as: UInt32.self))
    guard place >= ShardFormat.headerBytes, place <= header.tablePlace,
      size <= header.tablePlace - place
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + size])
  }

  /// The bytes of a block, nil when they are not what was written.
  private func verifiedBlock(
    _ block: Int, _ bytes: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    guard let own = place(of: block, bytes) else { return nil }
    if verified.withLock({ $0[block] }) { return own }
    let entry = header.tablePlace + block * ShardFormat.tableEntryBytes
    guard CRC32C.of(own) == bytes.number(at: entry + 12, as: UInt32.self),
      isSound(own, count: examples(in: block))
    else { return nil }
    verified.withLock { $0[block] = true }
    return own
  }

  /// Whether lengths and tokens make sense: a file may be whole and yet not of our making.
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
    for place in stride(from: 4 * count, to: block.count, by: header.tokenBytes) {
      highest = max(highest, UInt32(bitPattern: token(block, at: place)))
    }
    return highest < limits.vocabularySize
  }

  private func token(_ block: UnsafeRawBufferPointer, at place: Int) -> Int32 {
    header.tokenBytes == 2
      ? Int32(block.number(at: place, as: UInt16.self)) : block.number(at: place, as: Int32.self)
  }
}
