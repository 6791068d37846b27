import ArgumentParser
import Collectives
import Electra
import Finetuning
import Foundation
import Models
import Platform
import Runs
import Tensors
import Training

/// `electra predict`: a fine-tuned model's answers.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Answers new text with a fine-tuned model.",
    discussion: """
      Reads one text a line; the two texts of a pair, or a question and its passage, stand with a tab \
      between them. JSON lines, tables with a header, CoNLL and SQuAD's JSON are read by the fields \
      and columns that the model was fine-tuned with. Prints a label with its probability, a score, \
      each word with its tag, or the answer, line by line; with --json an object a line. Files with \
      answers are given with --dev or --test instead: --dev prints scores, and --output keeps the \
      answers in the form in which they are handed in.
      """)

  @Option(help: "The folder of a fine-tuning, of one of its seeds, or of a model.")
  var from: String

  @Argument(help: "The text; standard input if none is given.")
  var file: String?

  @Option(
    help: "The task whose files these are, where it is not the model's: ax for a model of mnli.")
  var task: String?

  @Option(help: "A file like the task's dev file, to answer and to measure.")
  var dev: String?

  @Option(help: "A file like the task's test file, to answer.")
  var test: String?

  @Option(help: "The folder for the answers to --dev and --test; it is made.")
  var output: String?

  @Option(
    help: """
      Of questions that may have no answer: none is given where its odds are above this. finetune \
      prints the best threshold of the dev data.
      """)
  var nullThreshold: Float?

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @OptionGroup var emptyLabels: EmptyLabelOption

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--threads": threads])
    if file != nil && (dev != nil || test != nil) {
      throw ValidationError("give text, or --dev and --test")
    }
    if task != nil && dev == nil && test == nil {
      throw ValidationError("--task says what --dev and --test are; give one of them")
    }
    if test != nil && output == nil {
      throw ValidationError("--test needs an --output for its answers")
    }
    if output != nil && dev == nil && test == nil {
      throw ValidationError("--output is for the answers to --dev and --test; give one of them")
    }
  }

  func run() throws {
    try runOnAllRanks { world in
      let folder = try world.agree { try FinetunedFolder(from) }
      let sets = try sets(folder, world)
      let weights = try world.agree {
        if world.rank == 0 { try makeRoom(for: sets) }
        return try folder.weights()
      }
      let layout = try RankLayout(world: world, threads: threads, slices: .max)
      let predictor = try Predictor(
        folder.model, weights: weights, longest: sets.map(\.longest).max() ?? 0, world: world,
        processors: layout.processors)
      defer { predictor.end() }
      let answered = try sets.map { set in
        let outputs = try predictor.outputs(for: set)
        let answers = set.answers(outputs, of: folder.model, nullThreshold: nullThreshold)
        return (set: set, answers: answers, outputs: outputs)
      }
      try world.agree {
        guard world.rank == 0 else { return }
        if let output {
          let files = answered.flatMap { $0.set.files(of: $0.answers) }
          try AtomicFile.write(files.map { (output + "/" + $0.name, Array($0.text.utf8)) })
        }
        for (set, answers, outputs) in answered { try tell(answers, outputs, of: set, folder) }
      }
    }
  }

  /// What is to be answered, the same on every rank.
  private func sets(_ folder: FinetunedFolder, _ world: Communicator) throws -> [ExampleSet] {
    let reader = try world.agree {
      let task = try answeredTask(folder.description)
      if nullThreshold != nil && !task.allowsNoAnswer {
        throw UsageError(
          "--null-threshold is for questions that may have no answer, and \(task.title) has none")
      }
      return try ExampleReader(
        task, tokenizer: folder.tokenizer, maximumLength: folder.description.length,
        emptyLabels: emptyLabels.emptyLabels)
    }
    // Rank zero alone may have the file.
    let bytes = try world.agree { world.rank == 0 ? try input() : [] }
    let text = try world.broadcast(bytes)
    let sets = try world.agree { try read(reader, folder.description, text) }
    try world.expectEqual([
      ("model", CheckpointState.checksum(of: folder.path + "/task.json") ?? ""),
      ("dev or test data", hasFiles ? sets.map(\.fingerprint).joined(separator: " ") : ""),
    ])
    return sets
  }

  /// The model's own task, or the one asked for, whose answers must be of the same kind.
  private func answeredTask(_ model: FinetunedFolder.Description) throws -> Task {
    guard let task else { return model.task }
    let other = try Task.named(task)
    let labels = other.labels.isEmpty ? model.labels.names : other.labels
    guard other.problem == model.task.problem, labels == model.labels.names else {
      throw UsageError(
        "a model of \(model.task.title) does not give the answers that \(other.title) wants; leave "
          + "--task out, or choose another --from")
    }
    return other
  }

  /// Whether files of the task are answered.
  private var hasFiles: Bool { dev != nil || test != nil }

  /// The text to answer; empty where files are answered.
  private func input() throws -> [UInt8] {
    hasFiles ? [] : try TextFile(path: file ?? "-").contents
  }

  private func read(
    _ reader: ExampleReader, _ description: FinetunedFolder.Description, _ text: [UInt8]
  ) throws -> [ExampleSet] {
    let task = reader.task
    let files =
      [dev.map { task.file(.development, at: $0) }, test.map { task.file(.test, at: $0) }]
      .compactMap(\.self)
    if hasFiles { return try files.map { try reader.read($0, labels: description.labels) } }
    if text.isEmpty { return [] }
    let source = file ?? "-"
    let text = NewText(task, text, from: source == "-" ? "standard input" : source)
    return [try reader.read(text.taskFile(), labels: description.labels)]
  }

  /// Makes the folder of the answers, and sees to it that none of their files is there.
  private func makeRoom(for sets: [ExampleSet]) throws {
    guard let output else { return }
    try RunFolder(path: output).make()
    for name in sets.flatMap(\.answerFiles) { try AtomicFile.expectFree(output + "/" + name) }
  }

  /// Prints the answers to a set, or its scores.
  private func tell(
    _ answers: Answers, _ numbers: [Float], of set: ExampleSet, _ folder: FinetunedFolder
  ) throws {
    if !hasFiles {
      return try AnsweredText(answers, numbers, set, folder).show(json: json)
    }
    for score in set.scores(of: answers) {
      let (split, metric) = (set.split.name, score.metric.rawValue)
      StandardOutput.print(
        json
          ? "{\"split\": \(jsonString(split)), \"metric\": \(jsonString(metric)), "
            + "\"value\": \(jsonNumber(score.value))}"
          : "\(split) \(metric) \(String(format: "%.4f", score.value))")
    }
  }
}
