import Glibc
import Platform

extension Vocabulary {
  /// Reads a file with one token per line; `-` is standard input.
  ///
  /// Lines may end with CR LF. Throws `FileError`, `TextError.notUTF8` and the errors of
  /// `init(tokens:added:source:)`.
  package init(contentsOf path: String) throws {
    try self.init(tokens: try Self.tokens(contentsOf: path), source: displayName(path))
  }

  /// The lines of a vocabulary file.
  static func tokens(contentsOf path: String) throws -> [String] {
    if path.hasSuffix("vocab.txt"), access(path, F_OK) != 0,
      access(path.dropLast("vocab.txt".count) + "tokenizer.json", F_OK) == 0
    {
      throw FileError.unreadable(
        path: path, reason: "there is no such file, but a tokenizer.json; give this or the folder")
    }
    let bytes = try InputFile.contents(of: path)
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // The empty part after the last line end is not a line.
    if lines.last?.isEmpty == true { lines.removeLast() }
    let tokens = try lines.enumerated().map { index, line in
      let token = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let text = String(validating: token, as: UTF8.self) else {
        throw TextError.notUTF8(path: displayName(path), line: index + 1)
      }
      return text
    }
    if tokens.first?.hasPrefix("version https://git-lfs") == true {
      throw FileError.unreadable(
        path: path,
        reason: "it is a Git LFS pointer, not the file; fetch the file with git lfs pull"
      )
    }
    if tokens.first?.utf8.starts(with: [0xEF, 0xBB, 0xBF]) == true {
      throw FileError.unreadable(
        path: path,
        reason: "it begins with a byte order mark; save it as UTF-8 without one")
    }
    return tokens
  }

  /// Writes the tokens to a new file, one per line; throws `FileError`.
  package func write(to path: String) throws {
    try AtomicFile.write(fileBytes, to: path)
  }

  /// The SHA-256 digest of `fileBytes`, in hexadecimal.
  package var digest: String { SHA256.hexadecimal(fileBytes) }

  /// The contents of the `vocab.txt` of this vocabulary.
  package var fileBytes: [UInt8] { Self.fileBytes(tokens) }

  /// Whether a `vocab.txt` can hold the word pieces: none has a line end, and the first does not
  /// begin with a byte order mark.
  ///
  /// A `tokenizer.json` has no such limits.
  var fitsFile: Bool {
    let isMarked = tokens.first?.utf8.starts(with: [0xEF, 0xBB, 0xBF]) == true
    return !isMarked
      && tokens.prefix(pieceCount).allSatisfy { token in
        !token.utf8.contains(UInt8(ascii: "\n")) && token.utf8.last != UInt8(ascii: "\r")
      }
  }

  static func fileBytes(_ tokens: some Sequence<String>) -> [UInt8] {
    tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
  }
}
