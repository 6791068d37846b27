import Foundation

/// An open file whose first bytes can be inspected before they are read.
package final class InputFile {
  let descriptor: Int32
  private let path: String
  /// Inspected bytes that cannot be read again from the file, because it is a pipe.
  private(set) var head: [UInt8] = []

  /// Takes ownership of an open descriptor; `deinit` closes it unless it is standard input.
  init(_ descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Opens `path`; `-` is standard input.
  convenience init(path: String) throws(FileError) {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .reading(path) }
    self.init(descriptor, path: path)
  }

  /// All bytes of the file at `path`; `-` is standard input.
  ///
  /// Throws `FileError.missing` or `FileError.unreadable`.
  package static func contents(of path: String) throws(FileError) -> [UInt8] {
    let file = try Self(path: path)
    var bytes: [UInt8] = []
    while try file.read(1 << 20, into: &bytes) {}
    return bytes
  }

  deinit {
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// The size of the file in bytes; 0 for a pipe.
  var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Returns the first bytes without consuming them: until `isEnough` holds, at most `limit`.
  func peek(limit: Int, until isEnough: ([UInt8]) -> Bool) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit, !isEnough(bytes) {
      guard try readFile(limit - bytes.count, into: &bytes) else { break }
    }
    if lseek(descriptor, off_t(-bytes.count), SEEK_CUR) < 0 { head = bytes }
    return bytes
  }

  /// Skips `count` of the inspected bytes.
  func skip(_ count: Int) {
    if head.isEmpty {
      lseek(descriptor, off_t(count), SEEK_CUR)
    } else {
      head.removeFirst(count)
    }
  }

  /// Appends up to `count` bytes to `bytes`; returns false at the end of the file.
  func read(_ count: Int, into bytes: inout [UInt8]) throws(FileError) -> Bool {
    if head.isEmpty { return try readFile(count, into: &bytes) }
    bytes += head
    head = []
    return true
  }

  private func readFile(_ count: Int, into bytes: inout [UInt8]) throws(FileError) -> Bool {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    let readCount = bytes.withUnsafeMutableBytes {
      readBytes(count, from: descriptor, into: $0.baseAddress.map { $0 + start })
    }
    let reason = readCount < 0 ? systemReason() : ""
    bytes.removeLast(count - max(0, readCount))
    guard readCount >= 0 else { throw .unreadable(path: path, reason: reason) }
    return readCount > 0
  }
}

/// Reads up to `count` bytes of a descriptor; a read that a signal interrupts is repeated.
///
/// Returns the number of bytes, 0 at the end, or -1 for an error, which is in `errno`.
func readBytes(_ count: Int, from descriptor: Int32, into buffer: UnsafeMutableRawPointer?) -> Int {
  while true {
    let readCount = read(descriptor, buffer, count)
    if readCount >= 0 || errno != EINTR { return readCount }
  }
}
