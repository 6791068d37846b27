/// The format of a file that is not plain UTF-8 text, recognized by its first bytes.
package enum FileContent: Sendable, Equatable {
  /// A compressed stream, with the program that decompresses it: gzip, xz, zstd and so on.
  case compressed(program: String)
  /// Text in another encoding, by `iconv`'s name of the encoding.
  case encoded(String)
  /// Another format, with advice on how to convert it to text.
  case other(String, advice: String)

  /// The decompressors that electra starts itself; for others, the error names the program.
  static let decompressors: Set = ["gzip", "xz", "zstd", "bzip2"]

  /// The endings of the names of compressed files that electra reads.
  package static let compressedEndings = [".gz", ".xz", ".zst", ".bz2"]

  /// A file name in lower case, without the ending of a compressed file.
  static func nameWithoutCompression(_ name: String) -> String {
    let name = name.lowercased()
    let ending = compressedEndings.first(where: name.hasSuffix)
    return String(name.dropLast(ending?.count ?? 0))
  }

  /// The format of a file that begins with `head`; nil if it may be UTF-8 text.
  init?(_ head: [UInt8]) {
    if let program = Self.compressor(head) {
      self = .compressed(program: program)
    } else if let encoding = Self.encoding(head) {
      self = .encoded(encoding)
    } else if let other = Self.other(head) {
      self = other
    } else {
      return nil
    }
  }

  private static func compressor(_ head: [UInt8]) -> String? {
    let magic: [(bytes: [UInt8], program: String)] = [
      ([0x1F, 0x8B], "gzip"), ([0x1F, 0x9D], "gzip"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz"),
      ([0x28, 0xB5, 0x2F, 0xFD], "zstd"), ([0x04, 0x22, 0x4D, 0x18], "lz4"),
      (Array("LZIP\u{1}".utf8), "lzip"),
    ]
    if let found = magic.first(where: { head.starts(with: $0.bytes) }) { return found.program }
    // A skippable frame of Zstandard (0x184D2A50 to 0x184D2A5F), with which files of pzstd begin.
    if let first = head.first, first & 0xF0 == 0x50,
      head.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
    {
      return "zstd"
    }
    // bzip2: "BZh", a digit, and the magic of a block or of an empty stream (digits of pi and of
    // its square root).
    let rest = head.dropFirst(4)
    let isBlock = [[0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]]
      .contains { rest.starts(with: $0 as [UInt8]) }
    return head.starts(with: Array("BZh".utf8)) && isBlock ? "bzip2" : nil
  }

  /// The encoding by its byte order mark; without one, UTF-16 if every other byte is NUL.
  private static func encoding(_ head: [UInt8]) -> String? {
    if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
      return "UTF-32"
    }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    let sample = head.prefix(64)
    guard sample.count >= 8 else { return nil }
    let nul = sample.indices.filter { sample[$0] == 0 }
    guard nul.count == sample.count / 2 else { return nil }
    if nul.allSatisfy({ $0 % 2 == 1 }) { return "UTF-16LE" }
    return nul.allSatisfy { $0 % 2 == 0 } ? "UTF-16BE" : nil
  }

  private static func other(_ head: [UInt8]) -> Self? {
    func begins(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
    if begins(Array("PK\u{3}\u{4}".utf8)) { return .other("a zip archive", advice: "unzip it") }
    if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) {
      return .other("a 7z archive", advice: "unpack it (7z x)")
    }
    if head.dropFirst(257).starts(with: Array("ustar".utf8)) {
      return .other("a tar archive", advice: "unpack it (tar -xf)")
    }
    if begins(Array("%PDF-".utf8)) {
      return .other("a PDF document", advice: "extract its text (pdftotext)")
    }
    if begins(Array("PAR1\u{15}".utf8)) {
      return .other(
        "a Parquet file",
        advice: "write it as JSON lines: Launch/text/parquet.py FILE --output NEW")
    }
    return nil
  }
}

extension FileContent {
  /// The error message: what the file is and how to convert it.
  ///
  /// The path `-` is standard input. `decompressor` is the program that has already decompressed
  /// the file, if any.
  func sentence(path: String, decompressor: String?) -> String {
    let (kind, command): (String, String)
    switch self {
    case .compressed(let program):
      (kind, command) = ("is compressed with \(program); decompress it", "\(program) -dc")
    case .encoded(let name):
      (kind, command) = ("is \(name) text; convert it", "iconv -f \(name) -t UTF-8")
    case .other(let name, let advice):
      return "\(displayName(path)) holds \(name), not plain text; \(advice)"
    }
    let name = displayName(path)
    guard let decompressor else {
      let input = path == "-" ? "" : " < \(shellWord(path)) > NEW"
      return "\(name) \(kind) first: \(command)\(input)"
    }
    let input = path == "-" ? "" : " < \(shellWord(path))"
    let output = path == "-" ? "" : " > NEW"
    return "\(name), decompressed with \(decompressor), \(kind) first: "
      + "\(decompressor) -dc\(input) | \(command)\(output)"
  }
}

/// A path as messages show it; `-` is "standard input".
package func displayName(_ path: String) -> String { path == "-" ? "standard input" : path }

/// A path quoted for the shell where necessary.
private func shellWord(_ path: String) -> String {
  let isPlain = path.utf8.allSatisfy {
    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
      || "/._-+,:@%=".utf8.contains($0)
  }
  return isPlain
    ? path
    : "'"
      + path.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: #"'\''"#) + "'"
}
