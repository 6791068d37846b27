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

/// `electra predict`: the predictions of a fine-tuned model.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predicts with a fine-tuned model: new text, or dev and test files.",
    discussion: """
      Reads one text per line; a tab separates the two texts of a pair, or a question and its \
      passage. In JSON, tables with a header, CoNLL and SQuAD JSON, the fields and columns are \
      those of the fine-tuning. Prints per line the labels with their probabilities, a score, each \
      word with its tag, or the answer; with --json one object per line, with the probabilities of \
      all classes. For files of the task use \
      --dev or --test instead: --dev prints scores, and --output writes the predictions in the \
      format of the benchmark's submissions.
      """)

  @Option(help: "A fine-tuning, one of its seeds or folds, or a model.")
  var from: String

  @Argument(help: "The text; by default, and for -, standard input.")
  var file: String?

  @Option(
    help: "The task of --dev and --test if it is not the model's: ax for a model of mnli.")
  var task: String?

  @Option(help: "A file like the task's dev file, to predict and to score.")
  var dev: String?

  @Option(help: "A file like the task's test file, to predict.")
  var test: String?

  @Option(help: "The folder to write the predictions for --dev and --test to.")
  var output: String?

  @Option(
    help: """
      For questions that can have no answer: predict none if its null odds exceed this threshold. \
      finetune prints the best threshold on the dev data.
      """)
  var nullThreshold: Float?

  @OptionGroup var products: ArithmeticOption

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @OptionGroup var emptyLabels: EmptyLabelOption

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--threads": threads])
    if nullThreshold?.isNaN == true { throw ValidationError("--null-threshold is not a number") }
    if file != nil && (dev != nil || test != nil) {
      throw ValidationError("give either a text, or --dev and --test")
    }
    if task != nil && dev == nil && test == nil {
      throw ValidationError("--task is the task of --dev and --test; give one of them")
    }
    if test != nil && output == nil {
      throw ValidationError("--test needs an --output for its predictions")
    }
    if output != nil && dev == nil && test == nil {
      throw ValidationError(
        "--output is for the predictions for --dev and --test; give one of them")
    }
  }

  func run() throws {
    try runOnAllRanks { world in
      let folder = try world.agree { try FinetunedFolder(from) }
      let sets = try sets(folder, world)
      if world.rank == 0 { sets.flatMap(\.noteLines).forEach(warn) }
      let weights = try world.agree {
        if world.rank == 0 { try makeRoom(for: sets) }
        return try folder.weights()
      }
      let layout = try RankLayout(world: world, threads: threads, slices: .max)
      let arithmetic = products.arithmetic ?? folder.description.arithmetic ?? .float32
      try selectKernel(arithmetic, world)
      let predictor = try Predictor(
        folder.model, weights: weights, arithmetic: arithmetic,
        longest: sets.map(\.longest).max() ?? 0, world: world, processors: layout.processors)
      defer { predictor.end() }
      let predicted = try sets.map { set in
        let outputs = try predictor.outputs(for: set)
        let predictions = set.predictions(outputs, of: folder.model, nullThreshold: nullThreshold)
        return (set: set, predictions: predictions, outputs: outputs)
      }
      try world.agree {
        guard world.rank == 0 else { return }
        if let output {
          let files = try predicted.flatMap { try $0.set.files(of: $0.predictions) }
          try AtomicFile.write(files.map { (output + "/" + $0.name, Array($0.text.utf8)) })
        }
        for (set, predictions, outputs) in predicted {
          try show(predictions, outputs, of: set, folder)
        }
      }
    }
  }

  /// The examples to predict; throws unless they are the same on every rank.
  private func sets(_ folder: FinetunedFolder, _ world: Communicator) throws -> [ExampleSet] {
    let reader = try world.agree {
      let task = try answeredTask(folder.description)
      if nullThreshold != nil && !task.allowsNoAnswer {
        throw UsageError(
          "--null-threshold is for questions without an answer, and \(task.title) has none")
      }
      return try ExampleReader(
        task, tokenizer: folder.tokenizer, maximumLength: folder.description.length,
        emptyLabels: emptyLabels.emptyLabels)
    }
    // Only rank 0 needs to have the file.
    let text = try world.broadcast(world.agree { world.rank == 0 ? try input() : [] })
    let sets = try world.agree { try read(reader, folder.description, text) }
    try world.expectEqual([
      ("model", CheckpointState.checksum(of: folder.path + "/task.json") ?? ""),
      ("dev or test data", hasFiles ? sets.map(\.fingerprint).joined(separator: " ") : ""),
    ])
    return sets
  }

  /// The task of `--task` with the model's scale, or the model's; problem and labels must be equal.
  private func answeredTask(_ model: FinetunedFolder.Description) throws -> Task {
    guard let task else { return model.task }
    var other = try Task.named(task)
    other.scoreScale = model.task.scoreScale
    let labels = other.labels.isEmpty ? model.labels.names : other.labels
    guard other.problem == model.task.problem, labels == model.labels.names else {
      throw UsageError(
        "a model of \(model.task.title) does not have the outputs of \(other.title); omit --task, "
          + "or choose another --from")
    }
    return other
  }

  /// Whether files of the task are predicted.
  private var hasFiles: Bool { dev != nil || test != nil }

  /// The text to predict; empty if files are predicted.
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

  /// Creates the folder of the predictions and checks that none of their files exists.
  private func makeRoom(for sets: [ExampleSet]) throws {
    guard let output else { return }
    try RunFolder(path: output).make()
    for name in sets.flatMap(\.predictionFiles) { try AtomicFile.expectFree(output + "/" + name) }
  }

  /// Prints the predictions for new text, or the scores of a file.
  private func show(
    _ predictions: Predictions, _ outputs: [Float], of set: ExampleSet, _ folder: FinetunedFolder
  ) throws {
    if !hasFiles {
      let lines = PredictionLines(predictions, outputs, set, folder.model)
      return try lines.texts(json: json).forEach { StandardOutput.print($0) }
    }
    for score in set.scores(of: predictions) {
      let (split, metric) = (set.split.name, score.metric.rawValue)
      let fields: JSONText = [
        "split": .string(split), "metric": .string(metric), "value": .number(orNull: score.value),
      ]
      StandardOutput.print(
        json ? fields.spacedText : "\(split) \(metric) \(String(format: "%.4f", score.value))")
    }
  }
}
