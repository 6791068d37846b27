import ArgumentParser
import Collectives
import Electra
import Finetuning
import Foundation
import Tensors
import Training

/// `electra predict`: a fine-tuned model's answers.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Answers new text with a fine-tuned model.",
    discussion: """
      Reads one text a line; the two texts of a pair, or a question and its passage, stand with a tab \
      between them. Prints a label with its probability, a score, each word with its tag, or the \
      answer, line by line; with --json an object a line. Files in the form of the task's own are \
      given with --dev or --test instead: --dev prints scores, and --output keeps the answers in the \
      form in which they are handed in.
      """)

  @Option(help: "The folder of a fine-tuning, of one of its seeds, or of a model.")
  var from: String

  @Argument(help: "The text; standard input if none is given.")
  var file: String?

  @Option(help: "A file like the task's dev file, to answer and to measure.")
  var dev: String?

  @Option(help: "A file like the task's test file, to answer.")
  var test: String?

  @Option(help: "The folder for the answers to --dev and --test; it is made.")
  var output: String?

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if file != nil && (dev != nil || test != nil) {
      throw ValidationError("give text, or --dev and --test")
    }
    if test != nil && output == nil {
      throw ValidationError("--test needs an --output for its answers")
    }
  }

  func run() throws {
    try runOnAllRanks { world in
      let folder = try world.agree { try FinetunedFolder(from) }
      let task = folder.description.task
      let reader = try ExampleReader(
        task, tokenizer: folder.tokenizer, maximumLength: folder.description.length)
      let own = try world.agree { world.rank == 0 ? try input() : Data() }
      let text = Data(try world.broadcast(Array(own)))
      let sets = try world.agree { try read(reader, folder.description, text) }
      let weights = try world.agree { try folder.weights() }
      let layout = try RankLayout(world: world, threads: threads, slices: .max)
      let answerer = try Answerer(
        folder.model, weights: weights, longest: sets.map(\.longest).max() ?? 0, world: world,
        processors: layout.processors)
      defer { answerer.end() }
      for set in sets {
        let numbers = try answerer.numbers(for: set)
        let answers = set.answers(numbers, of: folder.model)
        try world.agree { if world.rank == 0 { try tell(answers, numbers, of: set, folder) } }
      }
    }
  }

  /// The text to answer; empty where files are answered.
  private func input() throws -> Data {
    if dev != nil || test != nil { return Data() }
    guard let file else { return FileHandle.standardInput.readDataToEndOfFile() }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ModelError.unreadable(path: file, reason: "there is no such file")
    }
    return data
  }

  private func read(
    _ reader: ExampleReader, _ description: FinetunedFolder.Description, _ text: Data
  ) throws -> [ExampleSet] {
    let task = description.task
    let files =
      [dev.map { task.file(.development, at: $0) }, test.map { task.file(.test, at: $0) }]
      .compactMap(\.self)
    if !files.isEmpty { return try files.map { try reader.read($0, labels: description.labels) } }
    let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
      .map(String.init)
    if lines.isEmpty { return [] }
    return [try NewText(task, lines).read(reader, labels: description.labels)]
  }

  /// Prints the answers to a set, or its scores; keeps the answers where that was asked for.
  private func tell(
    _ answers: Answers, _ numbers: [Float], of set: ExampleSet, _ folder: FinetunedFolder
  ) throws {
    if dev == nil && test == nil {
      return try AnsweredText(answers, numbers, set, folder).show(json: json)
    }
    if let output {
      try RunFolder(path: output).make()
      _ = try set.write(answers, to: output)
    }
    for score in set.scores(of: answers) {
      print(
        json
          ? "{\"metric\": \"\(score.metric.rawValue)\", \"value\": "
            + (score.value.isFinite ? "\(score.value)}" : "null}")
          : "\(score.metric.rawValue) \(String(format: "%.4f", score.value))")
    }
  }
}

/// Lines of new text as a file that a task can read.
private struct NewText {
  private let task: Task
  private let lines: [String]

  init(_ task: Task, _ lines: [String]) { (self.task, self.lines) = (task, lines) }

  /// By way of a file of JSON lines, so that new text is read as training data are.
  func read(_ reader: ExampleReader, labels: LabelSet) throws -> ExampleSet {
    let path = NSTemporaryDirectory() + "electra-\(getpid()).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let encoder = JSONEncoder()
    let text = try content(encoder)
    try text.write(to: URL(fileURLWithPath: path), options: .atomic)
    var split = task.file(.test, at: path).split
    split.layout = layout
    return try reader.read(TaskFile(split: split, path: path), labels: labels)
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
      return try jsonLines(encoder) { line in
        guard isPair else { return ["text": line] }
        let (first, second) = try parts(line, of: "a pair")
        return ["text": first, "text2": second]
      }
    case .tagging:
      return try jsonLines(encoder) {
        ["tokens": $0.split(whereSeparator: \.isWhitespace).map(String.init)]
      }
    case .span:
      let passages = try lines.enumerated().map { number, line in
        let (question, passage) = try parts(line, of: "a question and its passage")
        return Passage(
          context: passage, qas: [Passage.Question(id: "\(number)", question: question)])
      }
      return try encoder.encode(Document(data: [Document.Article(paragraphs: passages)]))
    }
  }

  private func jsonLines(
    _ encoder: JSONEncoder, _ object: (String) throws -> some Encodable
  ) throws -> Data {
    try lines.reduce(into: Data()) { data, line in
      data += try encoder.encode(try object(line)) + [0x0A]
    }
  }

  /// The two texts of a line.
  private func parts(_ line: String, of what: String) throws -> (String, String) {
    let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UsageError("a line is \(what), with a tab between the two: \(line.prefix(60))")
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
