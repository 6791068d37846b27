import Platform

/// Reads the texts of a file one by one, unchanged: each line, or a field of each JSON object.
///
///     let lines = try TextLines(path: "-")
///     while let text = try lines.next() { answer(text) }
///
/// The form of the file is detected as for a corpus (`TextReader`). A line is returned as soon as
/// it is read, so interactive input works. Blank lines are returned too.
package final class TextLines {
  private let source: ByteSource
  private let field: String
  private var cutter: RecordCutter
  /// The texts that are read but not returned, the next one last.
  private var ready: [String] = []
  private var error: (any Error)?
  private var isAtEnd = false

  private static let blockBytes = 1 << 16

  /// Opens `path`, where `-` is standard input; `field` is the field of JSON objects with the text.
  ///
  /// Throws `FileError` or `TextError`.
  package init(path: String, field: String = "text") throws {
    source = try ByteSource(path: path)
    self.field = field
    cutter = RecordCutter(source.form, limit: .max)
  }

  /// The warnings about the file, complete once it is read to its end.
  package var warnings: TextWarnings {
    var warnings = TextWarnings()
    warnings.add(source)
    return warnings
  }

  /// The next text; nil at the end.
  ///
  /// An error is thrown only after all texts before it are returned, and again by every later call.
  package func next() throws -> String? {
    while ready.isEmpty && error == nil && !isAtEnd {
      do {
        isAtEnd = try !source.read(Self.blockBytes, into: &cutter.bytes)
        try readRecords()
      } catch {
        self.error = error
      }
    }
    if let text = ready.popLast() { return text }
    if let error { throw error }
    return nil
  }

  /// Decodes all complete records that are read; the texts before an error are kept.
  private func readRecords() throws {
    var found: [String] = []
    defer { ready = found.reversed() }
    try cutter.cut(atEnd: isAtEnd) { record throws in
      if source.form.isJSON && record.bytes.isOnlyWhitespace { return }
      if source.form == .articles && ArticleMarkup.isBorder(record.bytes) { return }
      do throws(LineProblem) {
        found.append(try text(of: record))
      } catch {
        throw CorpusError.badLine(
          path: displayName(source.path), line: record.line, problem: error, canSkip: false)
      }
    }
  }

  /// The text of a record; throws its problem.
  private func text(of record: RecordCutter.Record) throws(LineProblem) -> String {
    if source.form.isJSON { return String(decoding: try record.text(of: field), as: UTF8.self) }
    if let problem = LineProblem(record.bytes, offset: 0, allowsNUL: true) { throw problem }
    return source.form == .articles
      ? String(decoding: ArticleMarkup.text(record.bytes), as: UTF8.self)
      : String(decoding: record.bytes, as: UTF8.self)
  }
}
