/// A stream of UTF-8 text as bytes: a file, standard input, or what a system program unpacks.
///
/// What the bytes are is known by the first of them, not by the name: packed streams are unpacked, a
/// byte order mark is left out, and what cannot be text is refused with what it is.
package final class ByteSource {
  /// The file, or `-`.
  package let path: String
  /// How texts lie in it.
  package let form: TextForm
  /// The compressed or plain bytes of the file, for the progress; 0 when not known.
  package let fileSize: Int
  /// What there is to say of a file that can be read all the same.
  package private(set) var warning: TextWarning?
  private let input: InputFile
  private let unpacker: (program: String, process: Unpacker)?

  /// The most bytes that are looked at.
  private static let headLength = 1 << 16

  /// Opens `path`; `-` is standard input.
  ///
  /// Throws `FileError`, `TextError.notText` and `TextError.decompressionFailed`.
  package init(path: String) throws {
    let file = try InputFile(path: path)
    var head = try Self.head(of: file)
    var content = FileContent(head)
    if case .packed(let program) = content, FileContent.calledPrograms.contains(program) {
      let process = try Unpacker(program, path: path, input: file)
      unpacker = (program, process)
      input = process.output
      head = try Self.head(of: input)
      content = FileContent(head)
    } else {
      unpacker = nil
      input = file
    }
    if let content {
      throw TextError.notText(path: path, content: content, unpacker: unpacker?.program)
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    if head.starts(with: mark) {
      input.skip(mark.count)
      head.removeFirst(mark.count)
    }
    self.path = path
    fileSize = path == "-" ? 0 : file.size
    form = TextForm(head, path: path)
    if head.starts(with: Array("<doc id=".utf8)) { warning = .markup }
  }

  private static func head(of file: InputFile) throws(FileError) -> [UInt8] {
    try file.peek(limit: headLength, until: TextForm.isDecided)
  }

  /// Whether a program unpacks it.
  package var isPacked: Bool { unpacker != nil }

  /// Appends up to `count` bytes to `bytes`; false at the end.
  package func read(_ count: Int, into bytes: inout [UInt8]) throws -> Bool {
    if try input.read(count, into: &bytes) { return true }
    try finish()
    return false
  }

  /// At the end of a packed file its program must be content.
  private func finish() throws(TextError) {
    guard let unpacker, let status = unpacker.process.finish() else { return }
    // gzip's status for a warning: what it unpacked is whole.
    if unpacker.program == "gzip" && status == 2 {
      warning = .trailingBytes
      return
    }
    throw .decompressionFailed(
      path: path, program: unpacker.program,
      reason: "the file is damaged or cut short (exit status \(status))")
  }
}
