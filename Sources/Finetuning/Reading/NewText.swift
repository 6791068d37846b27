import Foundation
import Platform

/// Text without labels, for prediction: a file in the task's format, or plain lines.
///
/// A file has the task's format if it is JSON, a table whose header names the task's texts, a file
/// of words (CoNLL, CoNLL-U) or SQuAD's JSON. Any other file is plain text with one text per
/// line; a tab separates the two texts of a pair, or a question and its passage.
package struct NewText {
  private let task: Task
  private let file: TextFile

  /// Creates a text from the bytes of a file; `source` is its path, or a name for messages.
  package init(_ task: Task, _ contents: [UInt8], from source: String) {
    self.task = task
    file = TextFile(path: source, contents: contents)
  }

  /// The text as a test file of the task.
  ///
  /// Plain lines are converted to JSON, so that one reader serves training and prediction. Throws
  /// `missingColumn`, `notUTF8` and `noSecondText`, which name the line.
  package func taskFile() throws -> TaskFile {
    var split = task.file(.test, at: file.path).split
    if let layout = try taskLayout() {
      split.layout = layout
      return TaskFile(split: split, path: file.path, contents: file.contents)
    }
    split.layout = plainLayout
    return TaskFile(split: split, path: file.path, contents: try plainContents())
  }

  // MARK: The task's format

  /// The layout of a file in the task's format; nil for plain text.
  private func taskLayout() throws -> Layout? {
    switch task.problem {
    case .classification, .multilabel, .regression: return try columns().map(Layout.table)
    case .tagging:
      let isWords =
        file.holdsObjects || CoNLLU(file) != nil
        || TextFile.isNamed(file.path, [".conll", ".conllu", ".conllup", ".tsv"])
      return isWords ? task.splits.map(\.layout).first : nil
    case .span: return holdsQuestions ? .questions : nil
    }
  }

  /// Whether the file is SQuAD's JSON; a plain line of a question and a passage has a tab.
  private var holdsQuestions: Bool {
    if file.holdsObjects { return true }
    let line = file.firstLine { !$0.isBlank } ?? []
    return line.trimmed.first == UInt8(ascii: "{") && !line.contains(UInt8(ascii: "\t"))
  }

  /// The text columns of the task's tables, those of a split with this file's name first.
  private var tables: [Columns] {
    let matching = task.splits.filter {
      $0.hasFile(named: (file.path as NSString).lastPathComponent)
    }
    return (matching + task.splits).compactMap { split in
      guard case .table(let columns) = split.layout else { return nil }
      return Columns(first: columns.first, second: columns.second)
    }
  }

  /// The columns of a table or of JSON objects; nil for plain text.
  private func columns() throws -> Columns? {
    guard let usual = tables.first else { return nil }
    if file.holdsObjects {
      let fields = file.firstObject
      return (tables + [plainColumns]).first { $0.texts.allSatisfy { fields?[$0.key] != nil } }
        ?? usual
    }
    guard let cells = try firstRow() else { return nil }
    let isTable = file.isCSV || TextFile.isNamed(file.path, [".tsv"])
    // A line with a single cell may be a plain text that happens to equal a column's name, so only
    // the file's name makes it a header.
    if isTable || cells.count > 1, let named = tables.first(where: { $0.areNamed(in: cells) }) {
      return named
    }
    guard isTable else { return nil }
    if let indexed = tables.first(where: { $0.haveIndices(below: cells.count) }) { return indexed }
    // Two cells without a header are a plain pair.
    if isPair && cells.count == 2 && !file.isCSV { return nil }
    let missing = usual.missing(in: cells) ?? usual.first
    throw FinetuningError.missingColumn(path: file.path, column: missing.key, header: cells)
  }

  /// The cells of the first row; nil for a file without rows.
  private func firstRow() throws -> [String]? {
    var records = CSVRecords(file)
    let line = file.firstLine { !$0.isBlank }
    let fields = try file.isCSV ? records.next()?.fields : line?.tabSeparated
    return fields?.map { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Plain lines

  private var isPair: Bool { tables.first?.second != nil }

  private var plainColumns: Columns {
    Columns(first: .named("text"), second: isPair ? .named("text2") : nil)
  }

  private var plainLayout: Layout {
    switch task.problem {
    case .classification, .multilabel, .regression: .table(plainColumns)
    case .tagging: .words(WordColumns())
    case .span: .questions
    }
  }

  private func plainContents() throws -> [UInt8] {
    let encoder = JSONEncoder()
    var contents = Data()
    var passages: [PlainDocument.Passage] = []
    try file.forEachLine { number, bytes in
      let line = try file.text(bytes, line: number)
      switch task.problem {
      case .classification, .multilabel, .regression:
        let (first, second) = isPair ? try parts(line, number, of: "a pair") : (line, nil)
        contents += try encoder.encode(["text": first, "text2": second]) + [0x0A]
      case .tagging:
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        contents += try encoder.encode(["tokens": words]) + [0x0A]
      case .span:
        let (question, passage) = try parts(line, number, of: "a question and its passage")
        let entry = PlainDocument.Question(id: "\(passages.count)", question: question)
        passages.append(.init(context: passage ?? "", qas: [entry]))
      }
    }
    if task.problem == .span {
      contents = try encoder.encode(PlainDocument(data: [.init(paragraphs: passages)]))
    }
    return Array(contents)
  }

  /// The two texts of a line.
  private func parts(
    _ line: String, _ number: Int, of what: String
  ) throws(FinetuningError) -> (String, String?) {
    let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw .noSecondText(path: file.path, line: number, wanted: what)
    }
    return (String(parts[0]), String(parts[1]))
  }

  private struct PlainDocument: Encodable {
    let data: [Article]
    struct Article: Encodable { let paragraphs: [Passage] }
    struct Passage: Encodable {
      let context: String
      let qas: [Question]
    }
    struct Question: Encodable {
      let id: String
      let question: String
    }
  }
}

extension Columns {
  /// The columns of the one or two texts.
  fileprivate var texts: [Column] { [first, second].compactMap(\.self) }

  /// Whether a text is selected by name, and a table with this header has all texts.
  fileprivate func areNamed(in header: [String]) -> Bool {
    let usesNames = texts.contains { if case .named = $0 { true } else { false } }
    return usesNames && missing(in: header) == nil
  }

  /// Whether the texts are selected by index, and a row of `count` cells has them.
  fileprivate func haveIndices(below count: Int) -> Bool {
    texts.allSatisfy { if case .number(let index) = $0 { index < count } else { false } }
  }

  /// The first text that a table with this first row lacks; nil if it has all.
  fileprivate func missing(in cells: [String]) -> Column? {
    texts.first { column in
      switch column {
      case .named(let name): !cells.contains(name)
      case .number(let index): index >= cells.count
      }
    }
  }
}
