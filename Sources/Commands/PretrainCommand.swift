import ArgumentParser
import Collectives
import Corpus
import Electra
import Foundation
import Models
import Platform
import Runs
import Tokenization
import Training

/// `electra pretrain`: the main job.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract:
      "Pre-trains a generator and a discriminator, or a masked language model; goes on where the run was left.",
    discussion: """
      Alone it uses all cores of this machine; under mpirun or srun every rank does its part. The \
      result does not depend on how many ranks and threads there are.
      """)

  @Option(help: "The folder that prepare made.")
  var data: String

  @Option(help: "The run's folder; a run that is there is gone on with.")
  var output: String

  @OptionGroup var recipe: RecipeOptions

  @Option(
    help: """
      Begin with the weights of a run or checkpoint, or of a Hugging Face folder: a discriminator or \
      BERT-style encoder; once more for its generator. Sizes are the folder's, the recipe is the \
      preset's.
      """)
  var initFrom: [String] = []

  @Option(
    help: """
      A JSON file with the next phase of a finished run: num_train_steps, and where they change \
      data, max_seq_length, train_batch_size, slices, micro_batch_tokens, learning_rate; \
      num_warmup_steps is a tenth of the steps unless it is there.
      """)
  var nextPhase: String?

  @OptionGroup var start: RunOptions

  @Option(
    help: """
      Steps between held-out evaluations; by default a twelfth of the run, at most 5000, but no more \
      often than costs a fifteenth of the training.
      """)
  var evaluateEvery: Int?

  @Option(help: "Held-out examples of an evaluation.")
  var evaluateExamples = 2048

  @Option(help: "Steps between checkpoints.")
  var saveEvery = 1000

  @Option(help: "Minutes between checkpoints, at most.")
  var saveMinutes = 30.0

  @Option(help: "How many of the newest checkpoints are kept.")
  var keep = newestKept

  @Option(
    help: """
      A file for a picture of the first 20 steps of this start: what the threads of all ranks do \
      when, for ui.perfetto.dev or chrome://tracing.
      """)
  var timeline: String?

  @Flag(
    help: """
      Stop with a checkpoint and status 77 when the run finds itself gravely ill: a discriminator that \
      says the same of every token, a generator that learns nothing, a loss that is lost, overfitting.
      """)
  var stopWhenUnhealthy = false

  /// The checkpoints that are kept unless the user says otherwise.
  static let newestKept = 3

  func validate() throws {
    try expectCounts([
      "--evaluate-every": evaluateEvery, "--evaluate-examples": evaluateExamples,
      "--save-every": saveEvery, "--keep": keep,
    ])
  }

  func run() throws {
    try start.runOnAllRanks(self) { world, runGuard in
      let (configuration, initial, data) = try prepare(world, runGuard)
      let context = try start.context(
        output, world, runGuard, slices: configuration.recipe.slices)
      let run = try PretrainingRun(
        configuration, initial: initial, data: data, context: context,
        options: options(configuration.recipe, data))
      defer { run.end() }
      return switch try run.train() {
      case .finished: .success
      case .stopped: .stopped
      case .unhealthy: .unhealthy
      }
    }
  }

  private func options(
    _ recipe: PretrainingConfiguration.Recipe, _ data: ShardSet
  ) -> PretrainingRun.Options {
    // An evaluated sequence costs a third of one that is trained on.
    let examples = min(evaluateExamples, data.heldOutCount)
    let usual = max(min(5000, recipe.steps / 12), 5 * examples / recipe.batchSize)
    var options = PretrainingRun.Options(start.settings)
    (options.run.saveEvery, options.run.keep, options.run.timeline) = (saveEvery, keep, timeline)
    options.run.saveMinutes = saveMinutes
    options.evaluateEvery = evaluateEvery ?? max(1, usual)
    options.evaluateExamples = evaluateExamples
    (options.recomputes, options.stopsWhenUnhealthy) = (self.recipe.recompute, stopWhenUnhealthy)
    return options
  }

  /// Opens the data on every rank and settles configuration and first weights on rank zero.
  private func prepare(
    _ world: Communicator, _ runGuard: RunGuard
  ) throws -> (PretrainingConfiguration, InitialModel?, ShardSet) {
    let phase = try world.agree {
      world.rank == 0 ? try nextPhase.map { try PhaseFile(path: $0) } : nil
    }
    let folder = String(
      decoding: try world.broadcast(Array((phase?.data ?? "").utf8)), as: UTF8.self)
    let data = try world.agree { try ShardSet(folder: folder.isEmpty ? self.data : folder) }
    try world.expectEqual([
      ("vocabulary", data.description.vocabularyDigest), ("data", data.description.digest),
    ])
    let workers = try start.workers(world)
    let settled: (configuration: PretrainingConfiguration, initial: InitialModel?)? =
      try world.agree {
        guard world.rank == 0 else { return nil }
        let folder = RunFolder(path: output)
        try folder.make()
        try runGuard.lock(output)
        if let existing = try folder.existingConfiguration() {
          return try resumed(existing, folder, data, phase)
        }
        if let nextPhase, phase != nil {
          throw UsageError("\(output) has no run that \(nextPhase) could be the next phase of")
        }
        return try new(folder, data, workers: workers)
      }
    let encoded = try settled.map { Array(try $0.configuration.jsonDocument()) } ?? []
    let configuration = try decodeJSON(
      PretrainingConfiguration.self, Data(try world.broadcast(encoded)), from: output)
    return (configuration, settled?.initial, data)
  }

  /// The configuration of the run that exists, with its next phase where one is given.
  private func resumed(
    _ existing: PretrainingConfiguration, _ folder: RunFolder, _ data: ShardSet,
    _ phase: PhaseFile?
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    var configuration = existing
    let steps = CheckpointStore(runFolder: output).steps()
    let start = try RunStart(folder: output)
    try start?.expectSame(initial: initFrom, hasCheckpoints: !steps.isEmpty)
    try phase?.append(
      to: &configuration, stepsDone: steps.last ?? 0, data: data.description.digest)
    try data.expect(configuration)
    try recipe.expectSame(
      configuration, start: start,
      hasInitialModel: !(start?.initial.isEmpty ?? initFrom.isEmpty), isNextPhase: phase != nil)
    try RecipeOptions.check(configuration)
    if configuration != existing {
      try data.expect(CheckpointFolder(output).tokenizer, of: output)
      try folder.write(configuration)
    }
    // A run that was killed before its first checkpoint still needs its first weights.
    return (
      configuration, steps.isEmpty ? try initialModel(configuration.recipe.task, data) : nil
    )
  }

  /// The configuration of a new run, which is written, and the model that it begins with.
  private func new(
    _ folder: RunFolder, _ data: ShardSet, workers: Int
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    var initial: InitialModel?
    var configuration = try recipe.configuration(
      vocabularySize: data.vocabulary.size, dataLength: data.description.maximumLength,
      workers: workers
    ) { task in
      initial = try initialModel(task, data)
      return initial?.sizes
    }
    configuration.data = data.description.digest
    try data.expect(configuration)
    try folder.write(configuration)
    try RunStart(preset: recipe.config == nil ? recipe.usualPreset : nil, initial: initFrom)
      .write(to: output)
    return (configuration, initial)
  }

  /// The model of `--init-from`; nil where it is not given.
  private func initialModel(_ task: PretrainingTask, _ data: ShardSet) throws -> InitialModel? {
    if initFrom.isEmpty { return nil }
    let initial = try InitialModel(initFrom, task)
    try initial.expect(data)
    return initial
  }
}
