import Foundation

/// Reads text in order: files, folders, packed files, JSON lines, standard input.
///
///     let reader = try TextReader(paths: ["corpus/"], options: .init())
///     while let block = try reader.next() { use(block) }
///
/// A line is a paragraph or a sentence; a blank line ends a document, as does the end of a file. In
/// JSON lines (`.jsonl`) every object is a document, its `text` holds the lines. A document above
/// 4 MB or 131072 lines is cut into several, so that memory stays bounded whatever the input.
package final class TextReader {
  /// How to read.
  package struct Options: Sendable {
    /// Whether a file is one document, blank lines or not.
    package var fileIsDocument = false
    /// Whether a file without text stops the reading or is passed over. (Lines that are no text
    /// are found by `TextBlock.validate`, on all cores.)
    package var invalidText = InvalidText.stop

    package init(fileIsDocument: Bool = false, invalidText: InvalidText = .stop) {
      self.fileIsDocument = fileIsDocument
      self.invalidText = invalidText
    }
  }

  /// The bytes of all input files, packed as they are; 0 when not known.
  package let totalBytes: Int
  /// The files without text that were passed over.
  package private(set) var emptyFiles = 0
  private let paths: [String]
  private let options: Options
  private var pathIndex = 0
  private var source: ByteSource?
  private var holdsObjects = false
  private var rest: [UInt8] = []
  /// The bytes at the front of `rest` that are known to hold no line end.
  private var searched = 0
  private var lineNumber = 0
  private var fileHasText = false
  private var block = TextBlock()
  private var documentStart = 0
  private var ready: [TextBlock] = []
  private var error: CorpusError?

  private static let blockBytes = 1 << 20
  private static let documentBytes = 4 << 20
  private static let documentLines = 1 << 17
  private static let objectBytes = 64 << 20

  /// Finds all files; folders are read recursively in the order of names, hidden files left out.
  package init(paths: [String], options: Options) throws(CorpusError) {
    self.options = options
    self.paths = try TextFiles.all(paths)
    totalBytes = TextFiles.bytes(self.paths)
  }

  /// The next block, nil at the end. An error comes after all text that stands before it.
  package func next() throws(CorpusError) -> TextBlock? {
    while ready.isEmpty && error == nil && (source != nil || pathIndex < paths.count) {
      do {
        try readOn()
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

  private func readOn() throws(CorpusError) {
    guard let source else {
      source = try ByteSource(path: paths[pathIndex])
      holdsObjects = TextFiles.holdsObjects(paths[pathIndex])
      (lineNumber, fileHasText) = (0, false)
      return
    }
    let before = rest.count
    let more = try source.read(Self.blockBytes, into: &rest)
    if !source.isPacked { block.inputBytes += rest.count - before }
    takeLines(atEnd: !more)
    if !more { try endFile(source) }
  }

  private func endFile(_ finished: ByteSource) throws(CorpusError) {
    if finished.isPacked { block.inputBytes += finished.fileSize }
    endDocument()
    if !fileHasText {
      if options.invalidText == .stop { throw .emptyFile(path: paths[pathIndex]) }
      emptyFiles += 1
    }
    source = nil
    pathIndex += 1
  }

  /// Takes all whole lines out of `rest`, and parts of a line that is longer than a document.
  private func takeLines(atEnd: Bool) {
    var start = 0
    rest.withUnsafeBufferPointer { bytes in
      while start < bytes.count {
        let lineEnd = bytes[max(start, searched)...].firstIndex(of: 0x0A)
        let isPart = lineEnd == nil && !atEnd
        guard let end = lineEnd ?? (atEnd ? bytes.count : partEnd(bytes, from: start)) else {
          break
        }
        let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if holdsObjects {
          takeObject(line)
        } else if !isBlank(line) {
          takeLine(line)
        } else if !options.fileIsDocument {
          endDocument()
        }
        if !isPart { lineNumber += 1 }
        start = lineEnd == nil ? end : end + 1
      }
    }
    rest.removeFirst(start)
    searched = rest.count
  }

  /// Where a line without end in sight is cut, nil while it may still be read whole: behind a
  /// space near the limit, or else between two characters.
  private func partEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    let limit = holdsObjects ? Self.objectBytes : Self.documentBytes
    guard bytes.count - start >= limit else { return nil }
    let near = bytes[(bytes.count - 4096)...]
    if let space = near.lastIndex(of: 0x20) { return space + 1 }
    var end = bytes.count - 1
    while end > bytes.count - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  private func isBlank(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    line.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
  }

  private func takeLine(_ line: UnsafeBufferPointer<UInt8>, problem: TextProblem? = nil) {
    let start = block.bytes.count
    block.bytes.append(contentsOf: line)
    block.lines.append(
      TextBlock.Line(
        bytes: start..<block.bytes.count, file: paths[pathIndex], number: lineNumber + 1,
        problem: problem))
    fileHasText = true
    let size = block.bytes.count - block.lines[documentStart].bytes.lowerBound
    let lines = block.lines.count - documentStart
    if size >= Self.documentBytes || lines >= Self.documentLines { endDocument() }
  }

  /// One JSON object: its text is a document, or one line with a problem.
  private func takeObject(_ line: UnsafeBufferPointer<UInt8>) {
    if isBlank(line) { return }
    let problem = textProblem(line)
    let object =
      problem == nil && line.count < Self.objectBytes
      ? try? JSONSerialization.jsonObject(with: Data(buffer: line)) as? [String: Any] : nil
    if var text = object?["text"] as? String {
      text.withUTF8 { bytes in
        for part in bytes.split(separator: 0x0A) {
          let part = UnsafeBufferPointer(rebasing: part)
          if !isBlank(part) { takeLine(part) }
        }
      }
    } else {
      takeLine(UnsafeBufferPointer(rebasing: line[..<0]), problem: problem ?? .notJSON)
    }
    endDocument()
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
    var next = TextBlock()
    next.firstDocument = block.firstDocument + block.documents.count
    ready.append(block)
    block = next
    documentStart = 0
  }
}
