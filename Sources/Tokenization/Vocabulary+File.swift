import Glibc

extension Vocabulary {
  /// Reads a file of one token a line. Line ends may be those of Windows. Throws `missingFile`,
  /// `unreadable`, `invalidUTF8` and what `init(tokens:source:)` throws.
  package init(contentsOf path: String) throws(TokenizationError) {
    try self.init(tokens: try Self.tokens(contentsOf: path), source: path)
  }

  /// The lines of a vocabulary's file.
  static func tokens(contentsOf path: String) throws(TokenizationError) -> [String] {
    if let reason = tokenizerFileAdvice(path) { throw .unreadable(path: path, reason: reason) }
    var lines = try LineReader(path: path)
    var tokens: [String] = []
    while let line = try lines.next() {
      tokens.append(line.utf8.last == 13 ? String(Substring(line.utf8.dropLast())) : line)
    }
    if tokens.first?.hasPrefix("version https://git-lfs") == true {
      throw .unreadable(
        path: path, reason: "it is a Git LFS pointer and not the file; fetch that with git lfs pull"
      )
    }
    return tokens
  }

  /// How to make a `vocab.txt` of `tokenizer.json`, where `path` is that file or the list that is
  /// missing beside it; nil elsewhere.
  private static func tokenizerFileAdvice(_ path: String) -> String? {
    let (list, file) = ("vocab.txt", "tokenizer.json")
    let isFile = path.hasSuffix(file)
    guard isFile || path.hasSuffix(list) && access(path, F_OK) != 0 else { return nil }
    let folder = String(path.dropLast((isFile ? file : list).count))
    guard access(folder + file, F_OK) == 0 else { return nil }
    let target = folder.isEmpty ? "." : folder
    return "\(isFile ? "it is not a list of tokens" : "there is no such file"); "
      + "python -c \"from tokenizers import Tokenizer; "
      + "Tokenizer.from_file('\(folder)\(file)').model.save('\(target)')\" makes \(folder)\(list)"
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
  package var fileBytes: [UInt8] { Self.fileBytes(tokens) }

  static func fileBytes(_ tokens: some Sequence<String>) -> [UInt8] {
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
