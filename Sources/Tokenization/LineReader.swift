import Glibc
import Platform

/// Reads a file line by line, every line of it as it stands; for text as a corpus there is more in
/// the room of that name.
package struct LineReader: ~Copyable {
  private let path: String
  private let file: Int32
  private var buffer: [UInt8] = []
  /// The part of the buffer that was not given out yet begins here.
  private var start = 0
  private var lineNumber = 0
  private var isAtEnd = false

  /// Opens a file; `-` is standard input. Throws `missingFile` and `unreadable`.
  package init(path: String) throws(TokenizationError) {
    self.path = path == "-" ? "standard input" : path
    file = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 {
      let code = errno
      if code == ENOENT { throw .missingFile(path: path) }
      throw .unreadable(path: path, reason: systemReason(code))
    }
  }

  deinit {
    close(file)
  }

  /// The next line without its line feed; nil at the end. Throws `unreadable` and `invalidUTF8`.
  package mutating func next() throws(TokenizationError) -> String? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return try line(start..<end)
      }
      searched = buffer.count - start
      if isAtEnd {
        defer { start = buffer.count }
        return start < buffer.count ? try line(start..<buffer.count) : nil
      }
      try fill()
    }
  }

  private mutating func line(_ range: Range<Int>) throws(TokenizationError) -> String {
    lineNumber += 1
    guard let text = String(validating: buffer[range], as: UTF8.self) else {
      throw .invalidUTF8(source: path, line: lineNumber)
    }
    return text
  }

  /// Drops what was given out and reads more.
  private mutating func fill() throws(TokenizationError) {
    buffer.removeFirst(start)
    start = 0
    let length = buffer.count
    let wanted = max(1 << 16, length)
    buffer.append(contentsOf: repeatElement(0, count: wanted))
    var count = -1
    repeat {
      count = buffer.withUnsafeMutableBytes { bytes in
        read(file, bytes.baseAddress.map { $0 + length }, wanted)
      }
    } while count < 0 && errno == EINTR
    let code = errno
    buffer.removeLast(wanted - max(0, count))
    if count < 0 { throw .unreadable(path: path, reason: systemReason(code)) }
    isAtEnd = count == 0
  }
}
