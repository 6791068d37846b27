/// Splits a stream of bytes into records: lines, or JSON objects of one or more lines.
///
/// Bytes are appended to `bytes` as they arrive; an incomplete record stays there for the next
/// call.
///
///     while try source.read(1 << 20, into: &cutter.bytes) { cutter.cut(atEnd: false) { use($0) } }
///     cutter.cut(atEnd: true) { use($0) }
package struct RecordCutter {
  /// A line, an object, or part of one that is longer than the limit.
  package struct Record {
    package let bytes: UnsafeBufferPointer<UInt8>
    /// The line number, from 1, of its first byte.
    package let line: Int
    /// For a part of a line, its byte offset in the line; otherwise 0.
    package let offset: Int
    /// Whether the next record continues it.
    package let isPart: Bool
  }

  /// The bytes that were read but not yet returned as records.
  package var bytes: [UInt8] = []
  private let cutsObjects: Bool
  private let limit: Int
  /// The length of the prefix of `bytes` that is known to contain no end of a record.
  private var searched = 0
  private var line = 1
  private var offset = 0
  private var scan = ObjectScan()
  private var objectLine = 1

  /// Creates a cutter; records of more than `limit` bytes are split into parts.
  package init(_ form: TextForm, limit: Int) {
    cutsObjects = form == .jsonObjects
    self.limit = limit
  }

  /// Passes all complete records to `body`, and parts of one that is too long.
  ///
  /// If `atEnd` is true, the remaining bytes are a record too. The memory of a record is valid only
  /// during the call.
  package mutating func cut(
    atEnd: Bool, _ body: (Record) throws -> Void
  ) throws {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    let start = try taken.withUnsafeBufferPointer { bytes throws in
      cutsObjects ? try cutObjects(bytes, atEnd, body) : try cutLines(bytes, atEnd, body)
    }
    swap(&taken, &bytes)
    bytes.removeFirst(start)
    searched = bytes.count
  }

  /// Passes the complete lines in `bytes` to `body`; returns the start of the incomplete one.
  private mutating func cutLines(
    _ bytes: UnsafeBufferPointer<UInt8>, _ atEnd: Bool,
    _ body: (Record) throws -> Void
  ) throws -> Int {
    var start = 0
    while start < bytes.count {
      let lineEnd = bytes[max(start, searched)...].firstIndex(of: 0x0A)
      let isPart = lineEnd == nil && !atEnd
      guard let end = lineEnd ?? (atEnd ? bytes.count : partEnd(bytes, from: start)) else { break }
      try body(
        Record(
          bytes: UnsafeBufferPointer(rebasing: bytes[start..<end]), line: line, offset: offset,
          isPart: isPart))
      offset = isPart ? offset + end - start : 0
      if !isPart { line += 1 }
      start = lineEnd == nil ? end : end + 1
    }
    return start
  }

  /// The end of a part of a line whose end is not yet read; nil below the limit.
  ///
  /// It is after a space in the last 4096 bytes if there is one, or else between two characters.
  private func partEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard bytes.count - start >= limit else { return nil }
    let near = bytes[(bytes.count - 4096)...]
    if let space = near.lastIndex(of: 0x20) { return space + 1 }
    var end = bytes.count - 1
    while end > bytes.count - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  /// Passes the complete objects in `bytes` to `body`; returns the start of the incomplete one.
  ///
  /// At the end of the text, unbalanced brackets of lists give a record `[`. It is not an object,
  /// so a truncated file is reported as invalid.
  private mutating func cutObjects(
    _ bytes: UnsafeBufferPointer<UInt8>, _ atEnd: Bool,
    _ body: (Record) throws -> Void
  ) throws -> Int {
    var start = 0
    func emit(upTo end: Int, isPart: Bool = false) throws {
      try body(
        Record(
          bytes: UnsafeBufferPointer(rebasing: bytes[start..<end]), line: objectLine, offset: 0,
          isPart: isPart))
      start = end
    }
    for index in searched..<bytes.count {
      switch scan.read(bytes[index]) {
      case .nothing: start = index + 1
      case .begin: (start, objectLine) = (index, line)
      case .inside:
        if index - start >= limit {
          try emit(upTo: index, isPart: true)
          scan = ObjectScan()
        }
      case .last: try emit(upTo: index + 1)
      case .after: try emit(upTo: index)
      }
      if bytes[index] == 0x0A { line += 1 }
    }
    guard atEnd else { return start }
    if start < bytes.count {
      try emit(upTo: bytes.count)
    } else if !scan.isBalanced {
      objectLine = line
      let bracket = [UInt8(ascii: "[")]
      try bracket.withUnsafeBufferPointer { bytes throws in
        try body(Record(bytes: bytes, line: line, offset: 0, isPart: false))
      }
    }
    return bytes.count
  }
}
