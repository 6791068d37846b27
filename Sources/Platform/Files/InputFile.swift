import Foundation

/// An open file whose first bytes can be looked at before they are read.
package final class InputFile {
  let descriptor: Int32
  private let path: String
  /// Bytes that were looked at and cannot be read again from the file.
  private(set) var head: [UInt8] = []

  /// Takes over an open file; standard input is left open in the end.
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
  package static func contents(of path: String) throws(FileError) -> [UInt8] {
    let file = try Self(path: path)
    var bytes: [UInt8] = []
    while try file.read(1 << 20, into: &bytes) {}
    return bytes
  }

  deinit {
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// The size of a file, 0 for a pipe.
  var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The first bytes, which are read again later: until they are `enough`, at most `limit`.
  func peek(limit: Int, until isEnough: ([UInt8]) -> Bool) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit, !isEnough(bytes) {
      guard try readFile(limit - bytes.count, into: &bytes) else { break }
    }
    if lseek(descriptor, off_t(-bytes.count), SEEK_CUR) < 0 { head = bytes }
    return bytes
  }

  /// Passes over `count` bytes of those that were looked at.
  func skip(_ count: Int) {
    if head.isEmpty {
      lseek(descriptor, off_t(count), SEEK_CUR)
    } else {
      head.removeFirst(count)
    }
  }

  /// Appends up to `count` bytes to `bytes`; false at the end.
  func read(_ count: Int, into bytes: inout [UInt8]) throws(FileError) -> Bool {
    if head.isEmpty { return try readFile(count, into: &bytes) }
    bytes += head
    head = []
    return true
  }

  private func readFile(_ count: Int, into bytes: inout [UInt8]) throws(FileError) -> Bool {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    var got = 0
    repeat {
      got = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress.map { $0 + start }, count)
      }
    } while got < 0 && errno == EINTR
    let reason = got < 0 ? systemReason() : ""
    bytes.removeLast(count - max(0, got))
    guard got >= 0 else { throw .unreadable(path: path, reason: reason) }
    return got > 0
  }
}
