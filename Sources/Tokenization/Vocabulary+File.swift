import Glibc

extension Vocabulary {
  /// Reads a file of one token a line. Line ends may be those of Windows. Throws `missingFile`,
  /// `unreadable`, `invalidUTF8` and what `init(tokens:source:)` throws.
  package init(contentsOf path: String) throws(TokenizationError) {
    let bytes = try Self.read(path)
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    var tokens: [String] = []
    tokens.reserveCapacity(lines.count)
    for line in lines {
      let token = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let text = String(validating: token, as: UTF8.self) else {
        throw .invalidUTF8(source: path, line: tokens.count + 1)
      }
      tokens.append(text)
    }
    try self.init(tokens: tokens, source: path)
  }

  /// Writes the tokens, one a line, and flushes them to the disk. Throws `outputExists`,
  /// `cannotCreate` or `cannotWrite`; what was begun is removed.
  package func write(to path: String) throws(TokenizationError) {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if file < 0 {
      if errno == EEXIST { throw .outputExists(path: path) }
      throw .cannotCreate(path: path, reason: Self.reason(errno))
    }
    var code = Self.write(fileBytes, to: file)
    if code == 0 && fsync(file) != 0 && errno != EINVAL { code = errno }
    if close(file) != 0 && code == 0 { code = errno }
    if code != 0 {
      unlink(path)
      throw .cannotWrite(path: path, reason: Self.reason(code))
    }
  }

  /// The SHA-256 of the bytes that `write(to:)` writes, in hexadecimal.
  package var digest: String { SHA256.hexadecimal(fileBytes) }

  private var fileBytes: [UInt8] {
    tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
  }

  private static func read(_ path: String) throws(TokenizationError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 {
      if errno == ENOENT { throw .missingFile(path: path) }
      throw .unreadable(path: path, reason: reason(errno))
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else if errno != EINTR {
        throw .unreadable(path: path, reason: reason(errno))
      }
    }
  }

  /// Writes all bytes; returns 0 or the error's number.
  private static func write(_ bytes: [UInt8], to file: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(file, buffer.baseAddress.map { $0 + done }, buffer.count - done)
        if count > 0 {
          done += count
        } else if errno != EINTR {
          return errno
        }
      }
      return 0
    }
  }

  private static func reason(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
