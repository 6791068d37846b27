import Foundation

/// Reads text in order: files, folders, packed files, JSON lines, standard input.
///
///     let reader = try TextReader(paths: ["corpus/"], options: .init())
///     while let block = try reader.next() { use(block) }
///
/// A line is a paragraph or a sentence; a blank line ends a document, as does the end of a file. In
/// JSON lines (`.jsonl`) every object is a document, its `text` holds the lines. A document above
/// 4 MB is cut into several, so that memory stays bounded whatever the input.
package final class TextReader {
  /// How to read.
  package struct Options: Sendable {
    /// Whether a file is one document, blank lines or not.
    package var fileIsDocument = false
    package var invalidText = InvalidText.stop

    package init(fileIsDocument: Bool = false, invalidText: InvalidText = .stop) {
      self.fileIsDocument = fileIsDocument
      self.invalidText = invalidText
    }
  }

  /// The bytes of all input files, packed as they are; 0 when not known.
  package let totalBytes: Int
  private let paths: [String]
  private let options: Options
  private var pathIndex = 0
  private var source: ByteSource?
  private var rest: [UInt8] = []
  private var lineNumber = 0
  private var block = TextBlock()
  private var documentStart = 0
  private var ready: [TextBlock] = []

  private static let blockBytes = 1 << 20
  private static let documentBytes = 4 << 20

  /// Finds all files; folders are read recursively in the order of names, hidden files left out.
  package init(paths: [String], options: Options) throws(CorpusError) {
    self.options = options
    var files: [String] = []
    for path in paths { files += try Self.files(path) }
    guard !files.isEmpty else { throw .noText(inputs: paths.joined(separator: ", ")) }
    self.paths = files
    totalBytes = files.reduce(0) { total, path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return total + (attributes?[.size] as? Int ?? 0)
    }
  }

  private static func files(_ path: String) throws(CorpusError) -> [String] {
    if path == "-" { return [path] }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .unreadable(path: path, reason: "there is no such file or folder")
    }
    guard isFolder.boolValue else { return [path] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw .unreadable(path: path, reason: "the folder cannot be listed")
    }
    var found: [String] = []
    for name in names where !name.hasPrefix(".") { found += try files(path + "/" + name) }
    return found
  }

  /// The next block, nil at the end.
  package func next() throws(CorpusError) -> TextBlock? {
    while ready.isEmpty {
      if let source {
        let before = rest.count
        let more = try source.read(Self.blockBytes, into: &rest)
        if !source.isPacked { block.inputBytes += rest.count - before }
        takeLines(atEnd: !more)
        if !more { endFile(source) }
      } else if pathIndex < paths.count {
        source = try ByteSource(path: paths[pathIndex])
        lineNumber = 0
      } else {
        endBlock()
        return ready.isEmpty ? nil : ready.removeFirst()
      }
    }
    return ready.removeFirst()
  }

  private func endFile(_ finished: ByteSource) {
    if finished.isPacked { block.inputBytes += finished.fileSize }
    endDocument()
    source = nil
    pathIndex += 1
  }

  /// Takes all whole lines out of `rest`.
  private func takeLines(atEnd: Bool) {
    let isJSON = paths[pathIndex].contains(".jsonl")
    var start = 0
    rest.withUnsafeBufferPointer { bytes in
      while start < bytes.count {
        let end: Int
        if let found = bytes[start...].firstIndex(of: 0x0A) {
          end = found
        } else if atEnd || bytes.count - start >= Self.documentBytes {
          end = bytes.count
        } else {
          break
        }
        lineNumber += 1
        let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
        if isJSON { takeObject(line) } else { takeLine(line) }
        start = min(end + 1, bytes.count)
      }
    }
    rest.removeFirst(start)
  }

  private func takeLine(_ line: UnsafeBufferPointer<UInt8>) {
    let isBlank = line.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
    if isBlank {
      if !options.fileIsDocument { endDocument() }
      return
    }
    let start = block.bytes.count
    block.bytes.append(contentsOf: line)
    block.lines.append(
      TextBlock.Line(
        bytes: start..<block.bytes.count, file: paths[pathIndex], number: lineNumber))
    let size =
      block.bytes.count
      - (documentStart < block.lines.count
        ? block.lines[documentStart].bytes.lowerBound : block.bytes.count)
    if size >= Self.documentBytes { endDocument() }
  }

  /// One JSON object: its text is a document.
  private func takeObject(_ line: UnsafeBufferPointer<UInt8>) {
    if line.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { return }
    let object = try? JSONSerialization.jsonObject(with: Data(buffer: line)) as? [String: Any]
    guard let text = object?["text"] as? String else {
      // Kept as a line that is no text: the policy for invalid text decides, with file and line.
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { nul in
        nul[0] = 0
        takeLine(UnsafeBufferPointer(nul))
      }
      return endDocument()
    }
    var copy = text
    copy.withUTF8 { bytes in
      for part in bytes.split(separator: 0x0A) {
        takeLine(UnsafeBufferPointer(rebasing: part))
      }
    }
    endDocument()
  }

  private func endDocument() {
    if documentStart < block.lines.count {
      block.documents.append(documentStart..<block.lines.count)
      documentStart = block.lines.count
    }
    if block.bytes.count >= Self.blockBytes { endBlock() }
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
