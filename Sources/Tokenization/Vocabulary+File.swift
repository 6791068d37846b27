import Glibc

extension Vocabulary {
  /// Reads a file of one token a line. Line ends may be those of Windows. Throws `missingFile`,
  /// `unreadable`, `invalidUTF8` and what `init(tokens:source:)` throws.
  package init(contentsOf path: String) throws(TokenizationError) {
    var lines = try LineReader(path: path)
    var tokens: [String] = []
    while let line = try lines.next() {
      tokens.append(line.utf8.last == 13 ? String(Substring(line.utf8.dropLast())) : line)
    }
    try self.init(tokens: tokens, source: path)
  }

  /// Makes sure that a file can be made at `path`, so that no work is lost for want of a place for
  /// its result. Throws `outputExists` or `cannotCreate`.
  package static func checkOutput(_ path: String) throws(TokenizationError) {
    close(try create(path))
    unlink(path)
  }

  /// Writes the tokens, one a line, and flushes them to the disk. Throws `outputExists`,
  /// `cannotCreate` or `cannotWrite`; what was begun is removed.
  package func write(to path: String) throws(TokenizationError) {
    let file = try Self.create(path)
    var code = Self.write(fileBytes, to: file)
    if code == 0 && fsync(file) != 0 && errno != EINVAL { code = errno }
    if close(file) != 0 && code == 0 { code = errno }
    if code != 0 {
      unlink(path)
      throw .cannotWrite(path: path, reason: systemReason(code))
    }
  }

  /// The SHA-256 of the bytes that `write(to:)` writes, in hexadecimal.
  package var digest: String { SHA256.hexadecimal(fileBytes) }

  /// The bytes of its `vocab.txt`.
  package var fileBytes: [UInt8] {
    tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
  }

  private static func create(_ path: String) throws(TokenizationError) -> Int32 {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if file < 0 {
      if errno == EEXIST { throw .outputExists(path: path) }
      throw .cannotCreate(path: path, reason: systemReason(errno))
    }
    return file
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
}
