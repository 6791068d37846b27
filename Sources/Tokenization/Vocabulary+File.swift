import Glibc
import Platform

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

  /// Writes a new file of the tokens, one a line.
  package func write(to path: String) throws {
    try AtomicFile.write(fileBytes, to: path)
  }

  /// The SHA-256 of the bytes of its file, in hexadecimal.
  package var digest: String { SHA256.hexadecimal(fileBytes) }

  /// The bytes of its `vocab.txt`.
  package var fileBytes: [UInt8] { Self.fileBytes(tokens) }

  static func fileBytes(_ tokens: some Sequence<String>) -> [UInt8] {
    tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
  }
}
