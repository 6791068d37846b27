/// A stream of bytes of UTF-8 text: a file or standard input, decompressed if necessary.
///
/// The first bytes decide, not the name: compressed streams are decompressed by a system program, a
/// byte order mark is skipped, and other formats are rejected with an error that names the format.
package final class ByteSource {
  /// The file, or `-`.
  package let path: String
  /// How the file is divided into texts.
  package let form: TextForm
  /// The size of the file in bytes before decompression, for progress; 0 if unknown.
  package let fileSize: Int
  /// A problem of the file that does not prevent reading; complete only after the end was read.
  package private(set) var warning: TextWarning?
  private let input: InputFile
  private let decompressor: (program: String, process: Decompressor)?

  /// The most bytes that are inspected.
  private static let headLength = 1 << 16

  /// Opens `path`; `-` is standard input.
  ///
  /// Throws `FileError`, `TextError.notText` and `TextError.decompressionFailed`.
  package init(path: String) throws {
    let file = try InputFile(path: path)
    var head = try Self.head(of: file)
    var content = FileContent(head)
    if case .compressed(let program) = content, FileContent.decompressors.contains(program) {
      let process = try Decompressor(program, path: path, input: file)
      decompressor = (program, process)
      input = process.output
      head = try Self.head(of: input)
      content = FileContent(head)
    } else {
      decompressor = nil
      input = file
    }
    if let content {
      throw TextError.notText(path: path, content: content, decompressor: decompressor?.program)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    if head.starts(with: mark) {
      input.skip(mark.count)
      head.removeFirst(mark.count)
    }
    self.path = path
    fileSize = path == "-" ? 0 : file.size
    form = TextForm(head, path: path)
  }

  private static func head(of file: InputFile) throws(FileError) -> [UInt8] {
    try file.peek(limit: headLength, until: TextForm.isDecided)
  }

  /// Whether the file is compressed.
  package var isCompressed: Bool { decompressor != nil }

  /// Appends up to `count` bytes to `bytes`; returns false at the end.
  ///
  /// Throws `FileError.unreadable` and, at the end of a damaged file,
  /// `TextError.decompressionFailed`.
  package func read(_ count: Int, into bytes: inout [UInt8]) throws -> Bool {
    if try input.read(count, into: &bytes) { return true }
    try finish()
    return false
  }

  /// Checks the exit status of the decompressor.
  private func finish() throws(TextError) {
    guard let decompressor, let status = decompressor.process.finish() else { return }
    // Status 2 of gzip is a warning: the decompressed data are complete.
    if decompressor.program == "gzip" && status == 2 {
      warning = .trailingBytes
      return
    }
    throw .decompressionFailed(
      path: path, program: decompressor.program,
      reason: "the file is damaged or cut short (exit status \(status))")
  }
}
