import Platform

/// Reads text in order from files, folders, compressed files, JSON lines and standard input.
///
///     let reader = try TextReader(paths: ["corpus/"], options: .init())
///     while let block = try reader.next() { use(block) }
///
/// A line is a paragraph or a sentence. A blank line ends a document, as does the end of a file. In
/// JSON (lines, or a list of objects) every object is a document, and one of its fields contains
/// the lines. In the output of WikiExtractor every article is a document. A
/// document above 4 MB or 131072 lines is split into several, so that memory is bounded for any
/// input.
package final class TextReader {
  /// The options of a reader.
  package struct Options: Sendable {
    /// Whether a file is one document, regardless of blank lines, articles and JSON objects.
    package var fileIsDocument: Bool
    /// Whether a file or JSON object without text is an error or is skipped.
    ///
    /// Invalid lines are found later, by `TextBlock.validate(_:)`, on all cores.
    package var invalidText: InvalidText
    /// The field of JSON objects that contains the text.
    package var field: String

    package init(
      fileIsDocument: Bool = false, invalidText: InvalidText = .stop, field: String = "text"
    ) {
      self.fileIsDocument = fileIsDocument
      self.invalidText = invalidText
      self.field = field
    }
  }

  /// The total size of the input files, compressed if they are; files of unknown size count as 0.
  package let totalBytes: Int
  /// The remarks about the files read so far.
  package private(set) var remarks = TextRemarks()
  private let paths: [String]
  private let options: Options
  private var pathIndex = 0
  private var source: ByteSource?
  private var cutter = RecordCutter(.lines, limit: 0)
  private var fileHasText = false
  private var block = TextBlock()
  private var documentStart = 0
  private var ready: [TextBlock] = []
  private var error: (any Error)?

  private static let blockBytes = 1 << 20
  private static let documentBytes = 4 << 20
  private static let documentLines = 1 << 17
  private static let objectBytes = 64 << 20

  /// Finds all files, recursively in the order of names, without hidden files.
  ///
  /// Throws `FileError.unreadable`, or `CorpusError.noText` if there are no files.
  package convenience init(paths: [String], options: Options) throws {
    let files = try TextFiles.all(paths)
    self.init(files: files, options: options)
    remarks.repeatedFiles = TextFiles.repeated(files)
  }

  /// Reads the files that `TextFiles.all` found.
  package init(files: [String], options: Options) {
    self.options = options
    paths = files
    totalBytes = TextFiles.bytes(files)
  }

  /// The next block; nil at the end.
  ///
  /// An error is thrown only after all text before it is returned, and again by every later call.
  package func next() throws -> TextBlock? {
    while ready.isEmpty && error == nil && (source != nil || pathIndex < paths.count) {
      do {
        try readMore()
      } catch {
        self.error = error
      }
    }
    if ready.isEmpty {
      endDocument()
      endBlock()
    }
    if !ready.isEmpty { return ready.removeFirst() }
    if let error { throw error }
    return nil
  }

  /// Opens the next file, or reads more of the current one.
  private func readMore() throws {
    guard let source else { return try openFile() }
    let before = cutter.bytes.count
    let more = Result { try readBlock(of: source) }
    if !source.isCompressed { block.inputBytes += cutter.bytes.count - before }
    try addRecords(of: source, atEnd: (try? more.get()) == false)
    if try !more.get() { try endFile(source) }
  }

  /// Reads a whole block, which takes several reads of a pipe; returns false at the end.
  ///
  /// A line above the limit is cut where a block ends. So this must not depend on how many bytes a
  /// pipe or a decompressor delivers at a time.
  private func readBlock(of source: ByteSource) throws -> Bool {
    let end = cutter.bytes.count + Self.blockBytes
    while cutter.bytes.count < end {
      if try !source.read(end - cutter.bytes.count, into: &cutter.bytes) { return false }
    }
    return true
  }

  private func openFile() throws {
    fileHasText = false
    do {
      let opened = try ByteSource(path: paths[pathIndex])
      cutter = RecordCutter(
        opened.form, limit: opened.form.isJSON ? Self.objectBytes : Self.documentBytes)
      source = opened
    } catch let error as TextError {
      guard case .notText = error else { throw error }
      if options.invalidText == .stop { throw CorpusError.notText(error) }
      remarks.skippedFiles += 1
      pathIndex += 1
    }
  }

  private func endFile(_ finished: ByteSource) throws {
    if finished.isCompressed { block.inputBytes += finished.fileSize }
    endDocument()
    remarks.warnings.add(finished)
    if !fileHasText {
      if options.invalidText == .stop {
        throw CorpusError.emptyFile(path: displayName(finished.path))
      }
      remarks.skippedFiles += 1
    }
    source = nil
    pathIndex += 1
  }

  private func addRecords(of source: ByteSource, atEnd: Bool) throws {
    var records = RecordCutter(.lines, limit: 0)
    swap(&records, &cutter)
    defer { swap(&records, &cutter) }
    let (file, form) = (displayName(source.path), source.form)
    try records.cut(atEnd: atEnd) { record throws in
      if form.isJSON {
        try addObject(record, of: file)
      } else if form == .articles {
        addArticleLine(record, of: file)
      } else if !record.bytes.isOnlyWhitespace {
        addLine(record.bytes, of: file, record)
      } else if !options.fileIsDocument {
        endDocument()
      }
    }
  }

  /// Adds a line of WikiExtractor's output; an article is one document, blank lines included.
  private func addArticleLine(_ record: RecordCutter.Record, of file: String) {
    if ArticleMarkup.isBorder(record.bytes) {
      if !options.fileIsDocument { endDocument() }
    } else if !record.bytes.isOnlyWhitespace {
      ArticleMarkup.text(record.bytes).withUnsafeBufferPointer { addLine($0, of: file, record) }
    }
  }

  private func addLine(
    _ line: UnsafeBufferPointer<UInt8>, of file: String, _ record: RecordCutter.Record,
    isRejected: Bool = false
  ) {
    let start = block.bytes.count
    block.bytes.append(contentsOf: line)
    block.lines.append(
      TextBlock.Line(
        bytes: start..<block.bytes.count, file: file, number: record.line,
        offset: UInt32(clamping: record.offset), isRejected: isRejected))
    fileHasText = true
    let size = block.bytes.count - block.lines[documentStart].bytes.lowerBound
    let lines = block.lines.count - documentStart
    if size >= Self.documentBytes || lines >= Self.documentLines { endDocument() }
  }

  /// Adds a JSON object as a document, or as a part of the file's.
  ///
  /// An object without text becomes an empty, rejected line, which keeps the numbers of later
  /// documents and is counted by `TextBlock.validate(_:)`.
  private func addObject(_ record: RecordCutter.Record, of file: String) throws {
    if record.bytes.isOnlyWhitespace { return }
    do {
      let text = try record.text(of: options.field)
      text.withUnsafeBufferPointer { bytes in
        for part in bytes.split(separator: 0x0A) {
          let part = UnsafeBufferPointer(rebasing: part)
          if !part.isOnlyWhitespace { addLine(part, of: file, record) }
        }
      }
    } catch {
      if options.invalidText == .stop {
        throw CorpusError.badLine(path: file, line: record.line, problem: error, canSkip: true)
      }
      addLine(
        UnsafeBufferPointer(rebasing: record.bytes[..<0]), of: file, record, isRejected: true)
    }
    if !options.fileIsDocument { endDocument() }
  }

  private func endDocument() {
    if documentStart < block.lines.count {
      block.documents.append(documentStart..<block.lines.count)
      documentStart = block.lines.count
    }
    if block.weight >= Self.blockBytes { endBlock() }
  }

  private func endBlock() {
    guard !block.documents.isEmpty else { return }
    ready.append(block)
    block = TextBlock()
    documentStart = 0
  }
}
