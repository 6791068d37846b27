import Corpus

/// A text file in memory, unpacked if it is packed (`.gz`, `.xz`), without its byte order mark.
struct TextFile {
  let path: String
  private let bytes: [UInt8]

  /// Reads a file; `-` is standard input. Throws `CorpusError`.
  init(path: String) throws(CorpusError) {
    let source = try ByteSource(path: path)
    var bytes: [UInt8] = []
    while try source.read(1 << 20, into: &bytes) {}
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.path = path
    self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
  }

  /// All bytes of the file.
  var contents: [UInt8] { bytes }

  /// Whether each line is a JSON object, by the file's name.
  var holdsObjects: Bool { Self.holdsObjects(path) }

  static func holdsObjects(_ path: String) -> Bool {
    let name = path.hasSuffix(".gz") || path.hasSuffix(".xz") ? String(path.dropLast(3)) : path
    return name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") || name.hasSuffix(".json")
  }

  /// Calls `body` with the number, from 1, and the bytes of each line; line ends are those of Unix or
  /// Windows, and the last line needs none.
  func forEachLine(_ body: (Int, ArraySlice<UInt8>) throws -> Void) throws {
    var start = 0
    var number = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      number += 1
      var line = bytes[start..<end]
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      try body(number, line)
      start = end + 1
    }
  }

  /// The bytes as text; throws `notUTF8`.
  func text(_ bytes: ArraySlice<UInt8>, line: Int) throws(FinetuningError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(path: path, line: line)
    }
    return text
  }
}

extension ArraySlice<UInt8> {
  /// Whether there is nothing but blanks and tabs.
  var isBlank: Bool { allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

  /// The slice without blanks and tabs at its ends.
  var trimmed: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !Self.isBlank($0) }),
      let last = lastIndex(where: { !Self.isBlank($0) })
    else { return [] }
    return self[first...last]
  }

  static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
