import Foundation

/// Writes a safetensors file tensor by tensor, never holding more than what it is given.
///
///     let writer = try SafetensorsWriter(path: path, tensors: [("weight", [3, 4])], metadata: [:])
///     try writer.write(pointer, count: 12)
///     try writer.finish()
///
/// The same tensors give the same bytes. Errors (a full disk) are thrown; a file that was not
/// finished is not sound, and the reader says so.
package final class SafetensorsWriter {
  private let path: String
  private let file: Int32
  private var remaining: Int
  private var isOpen = true

  /// Creates the file and writes its header.
  ///
  /// - Parameters:
  ///   - tensors: names and shapes of float32 tensors, in the order in which they will come.
  ///   - metadata: free text; `format` is added, which transformers asks for.
  package init(
    path: String, tensors: [(name: String, shape: [Int])], metadata: [String: String]
  ) throws(SafetensorsError) {
    self.path = path
    var header =
      "{\"__metadata__\":\(Self.json(metadata.merging(["format": "pt"]) { own, _ in own }))"
    var end = 0
    for (name, shape) in tensors {
      let start = end
      end += shape.reduce(4, *)
      let dimensions = shape.map(String.init).joined(separator: ",")
      header += ",\(Self.json(name)):{\"dtype\":\"F32\",\"shape\":[\(dimensions)],"
      header += "\"data_offsets\":[\(start),\(end)]}"
    }
    header += "}"
    while header.utf8.count % 8 != 0 { header += " " }
    remaining = end / 4
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else {
      isOpen = false
      throw .unwritable(path: path, reason: Self.systemReason())
    }
    let length = UInt64(header.utf8.count)
    try write(bytes: (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    try write(bytes: Array(header.utf8))
  }

  deinit { if isOpen { close(file) } }

  /// Adds the next `count` floats; tensors follow each other without a break.
  package func write(
    _ floats: UnsafePointer<Float>, count: Int
  ) throws(SafetensorsError) {
    precondition(count <= remaining, "\(path): more floats than its header says")
    remaining -= count
    try write(UnsafeRawBufferPointer(start: floats, count: 4 * count))
  }

  /// Flushes the file to the disk and closes it.
  package func finish() throws(SafetensorsError) {
    precondition(remaining == 0, "\(path): \(remaining) floats are missing")
    isOpen = false
    let flushed = fsync(file)
    let closed = close(file)
    if flushed != 0 || closed != 0 { throw .unwritable(path: path, reason: Self.systemReason()) }
  }

  private func write(bytes: [UInt8]) throws(SafetensorsError) {
    let isWritten = bytes.withUnsafeBytes { put($0) }
    if !isWritten { throw .unwritable(path: path, reason: Self.systemReason()) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    if !put(bytes) { throw .unwritable(path: path, reason: Self.systemReason()) }
  }

  /// Writes all bytes; false, with the reason in `errno`, when it cannot.
  private func put(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = Foundation.write(file, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  private static func systemReason() -> String { String(cString: strerror(errno)) }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
