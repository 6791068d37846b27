import Finetuning
import Foundation

/// Lines of new text as a file that a task can read.
struct NewText {
  private let task: Task
  private let lines: [String]
  private let source: String

  /// The lines of `text`, the last of which needs no end. Throws `notUTF8`, which names the line of
  /// `source`.
  init(_ task: Task, _ text: Data, from source: String) throws {
    (self.task, self.source) = (task, source)
    var parts = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    lines = try parts.enumerated().map { number, part in
      let bytes = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
      guard let line = String(validating: bytes, as: UTF8.self) else {
        throw FinetuningError.notUTF8(path: source, line: number + 1)
      }
      return line
    }
  }

  /// By way of a file of JSON lines, so that new text is read as training data are.
  func read(_ reader: ExampleReader, labels: LabelSet) throws -> ExampleSet {
    let path = NSTemporaryDirectory() + "electra-\(getpid()).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let encoder = JSONEncoder()
    let text = try content(encoder)
    try text.write(to: URL(fileURLWithPath: path), options: .atomic)
    var split = task.file(.test, at: path).split
    split.layout = layout
    do {
      return try reader.read(TaskFile(split: split, path: path), labels: labels)
    } catch FinetuningError.noExamples {
      throw FinetuningError.noExamples(path: source)
    }
  }

  private var isPair: Bool {
    if case .table(let columns) = task.splits.first?.layout { columns.second != nil } else { false }
  }

  private var layout: Layout {
    switch task.problem {
    case .classification, .regression:
      .table(Columns(first: .named("text"), second: isPair ? .named("text2") : nil))
    case .tagging: .words(WordColumns())
    case .span: .questions
    }
  }

  private func content(_ encoder: JSONEncoder) throws -> Data {
    switch task.problem {
    case .classification, .regression:
      return try jsonLines(encoder) { number in
        guard isPair else { return ["text": lines[number]] }
        let (first, second) = try parts(number, of: "a pair")
        return ["text": first, "text2": second]
      }
    case .tagging:
      return try jsonLines(encoder) {
        ["tokens": lines[$0].split(whereSeparator: \.isWhitespace).map(String.init)]
      }
    case .span:
      let passages = try lines.indices.map { number in
        let (question, passage) = try parts(number, of: "a question and its passage")
        return Passage(
          context: passage, qas: [Passage.Question(id: "\(number)", question: question)])
      }
      return try encoder.encode(Document(data: [Document.Article(paragraphs: passages)]))
    }
  }

  private func jsonLines(
    _ encoder: JSONEncoder, _ object: (_ line: Int) throws -> some Encodable
  ) throws -> Data {
    try lines.indices.reduce(into: Data()) { data, line in
      data += try encoder.encode(try object(line)) + [0x0A]
    }
  }

  /// The two texts of a line.
  private func parts(_ number: Int, of what: String) throws -> (String, String) {
    let parts = lines[number].split(
      separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UsageError(
        "\(source), line \(number + 1): no tab; a line is \(what), with a tab between the two")
    }
    return (String(parts[0]), String(parts[1]))
  }

  private struct Document: Encodable {
    let data: [Article]
    struct Article: Encodable { let paragraphs: [Passage] }
  }

  private struct Passage: Encodable {
    let context: String
    let qas: [Question]
    struct Question: Encodable {
      let id: String
      let question: String
    }
  }
}
