import Foundation
import Platform

/// Text to answer that has no answers yet: a file in the form of the task's own files, or plain lines.
///
/// A file has the task's form if it is JSON lines, a table whose header names the task's texts, a file of words
/// (CoNLL, CoNLL-U) or SQuAD's JSON. Anything else is plain: a text a line, and between the two texts of a pair, or
/// a question and its passage, a tab.
package struct NewText {
  private let task: Task
  private let file: TextFile

  package init(_ task: Task, _ contents: [UInt8], from source: String) {
    self.task = task
    file = TextFile(path: source, contents: contents)
  }

  /// The text as a file of the task; plain lines become JSON lines, which are read as training data are.
  /// Throws `missingColumn`, `notUTF8` and `noSecondText`, which name the line.
  package func taskFile() throws -> TaskFile {
    var split = task.file(.test, at: file.path).split
    if let layout = try ownLayout() {
      split.layout = layout
      return TaskFile(split: split, path: file.path, contents: file.contents)
    }
    split.layout = plainLayout
    return TaskFile(split: split, path: file.path, contents: try plainContents())
  }

  // MARK: The task's own form

  /// nil for plain text.
  private func ownLayout() throws -> Layout? {
    switch task.problem {
    case .classification, .regression: return try columns().map(Layout.table)
    case .tagging:
      let isWords =
        file.holdsObjects || CoNLLU(file) != nil
        || TextFile.isNamed(file.path, [".conll", ".conllu", ".conllup", ".tsv"])
      return isWords ? task.splits.map(\.layout).first : nil
    case .span: return holdsQuestions ? .questions : nil
    }
  }

  /// Whether it is JSON; a plain line has a tab.
  private var holdsQuestions: Bool {
    if file.holdsObjects { return true }
    let line = file.firstLine { !$0.isBlank } ?? []
    return line.trimmed.first == UInt8(ascii: "{") && !line.contains(UInt8(ascii: "\t"))
  }

  /// The columns of the task's tables without labels: first those of the file that is called so.
  private var tables: [Columns] {
    let called = task.splits.filter { $0.isCalled((file.path as NSString).lastPathComponent) }
    return (called + task.splits).compactMap { split in
      guard case .table(let columns) = split.layout else { return nil }
      return Columns(first: columns.first, second: columns.second)
    }
  }

  /// The columns of a table or of JSON lines; nil for plain text.
  private func columns() throws -> Columns? {
    guard let line = file.firstLine(where: { !$0.isBlank }), let usual = tables.first else {
      return nil
    }
    if file.holdsObjects {
      let fields = try? JSONDecoder().decode([String: JSONField?].self, from: Data(line))
      return (tables + [plainColumns]).first { $0.texts.allSatisfy { fields?[$0.key] != nil } }
        ?? usual
    }
    let cells = String(decoding: line, as: UTF8.self).split(
      separator: "\t", omittingEmptySubsequences: false
    ).map(String.init)
    let isTable = TextFile.isNamed(file.path, [".tsv", ".csv"])
    // A single cell may be a text like any other.
    if isTable || cells.count > 1, let named = tables.first(where: { $0.areNamed(in: cells) }) {
      return named
    }
    guard isTable else { return nil }
    if let indexed = tables.first(where: { $0.havePlaces(among: cells.count) }) { return indexed }
    if isPair && cells.count == 2 { return nil }
    throw FinetuningError.missingColumn(path: file.path, column: usual.first.key, header: cells)
  }

  // MARK: Plain lines

  private var isPair: Bool { tables.first?.second != nil }

  private var plainColumns: Columns {
    Columns(first: .named("text"), second: isPair ? .named("text2") : nil)
  }

  private var plainLayout: Layout {
    switch task.problem {
    case .classification, .regression: .table(plainColumns)
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
      case .classification, .regression:
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
  /// The columns of texts.
  fileprivate var texts: [Column] { [first, second].compactMap(\.self) }

  /// Whether a header names the texts.
  fileprivate func areNamed(in header: [String]) -> Bool {
    texts.allSatisfy { if case .named(let name) = $0 { header.contains(name) } else { false } }
  }

  /// Whether the texts are chosen by their places, and a row of `count` cells has them.
  fileprivate func havePlaces(among count: Int) -> Bool {
    texts.allSatisfy { if case .number(let index) = $0 { index < count } else { false } }
  }
}
