/// A text file in memory, decompressed if necessary, without its byte order mark.
package struct TextFile {
  package let path: String
  private let bytes: [UInt8]

  /// Reads a file; `-` is standard input.
  ///
  /// Throws `FileError`, `TextError.notText` and `TextError.decompressionFailed`.
  package init(path: String) throws {
    let source = try ByteSource(path: path)
    var bytes: [UInt8] = []
    while try source.read(1 << 20, into: &bytes) {}
    self.init(path: path, contents: bytes)
  }

  /// Takes `contents` that were read already; `path` is used in errors.
  package init(path: String, contents: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.path = path
    bytes = contents.starts(with: mark) ? Array(contents.dropFirst(mark.count)) : contents
  }

  /// Whether the last line ends with a newline; if not, the file may be truncated.
  package var endsWithLineEnd: Bool { bytes.last == UInt8(ascii: "\n") }

  /// All bytes of the file after decompression.
  package var contents: [UInt8] { bytes }

  /// Whether a file name, without the ending of a compressed file, has one of `endings`, which are
  /// lower case.
  package static func isNamed(_ path: String, _ endings: [String]) -> Bool {
    endings.contains(where: FileContent.nameWithoutCompression(path).hasSuffix)
  }

  /// The first line for which `condition` holds; nil if there is none.
  package func firstLine(where condition: (ArraySlice<UInt8>) -> Bool) -> ArraySlice<UInt8>? {
    var start = 0
    while let line = line(at: &start) {
      if condition(line) { return line }
    }
    return nil
  }

  /// Calls `body` with the number, from 1, and the bytes of each line.
  ///
  /// Line ends are LF or CR LF and are not part of the bytes; the last line needs none.
  package func forEachLine(_ body: (Int, ArraySlice<UInt8>) throws -> Void) throws {
    var start = 0
    var number = 0
    while let line = line(at: &start) {
      number += 1
      try body(number, line)
    }
  }

  /// Returns the line at `start` and moves `start` to the next line; nil at the end.
  private func line(at start: inout Int) -> ArraySlice<UInt8>? {
    guard start < bytes.count else { return nil }
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    let line = bytes[start..<end]
    start = end + 1
    return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  /// The bytes as text; throws `TextError.notUTF8` with the number of the line.
  package func text(_ bytes: ArraySlice<UInt8>, line: Int) throws(TextError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(path: path, line: line)
    }
    return text
  }
}

extension ArraySlice<UInt8> {
  /// Whether the slice has only spaces and tabs or is empty.
  package var isBlank: Bool { allSatisfy(Self.isBlank) }

  /// The slice without spaces and tabs at its ends.
  package var trimmed: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !Self.isBlank($0) }),
      let last = lastIndex(where: { !Self.isBlank($0) })
    else { return [] }
    return self[first...last]
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
