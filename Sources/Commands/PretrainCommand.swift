import ArgumentParser
import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
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

  @Option(help: "Stop after so many hours of this start, with a checkpoint to go on from.")
  var hours: Double?

  @Option(
    help: """
      A JSON file with the next phase of a finished run: num_train_steps, and where they change \
      data, max_seq_length, train_batch_size, slices, micro_batch_tokens, learning_rate; \
      num_warmup_steps is a tenth of the steps unless it is there.
      """)
  var nextPhase: String?

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Steps between lines of metrics.")
  var logEvery = 50

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

  @Option(help: "Minutes after which a checkpoint is written at the latest.")
  var saveMinutes = 30.0

  @Option(help: "How many of the newest checkpoints are kept.")
  var keep = newestKept

  @OptionGroup var patience: GuardOptions

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
  var stopWhenSick = false

  /// The checkpoints that are kept unless the user says otherwise.
  static let newestKept = 3

  func validate() throws {
    try expectCounts([
      "--log-every": logEvery, "--evaluate-every": evaluateEvery,
      "--evaluate-examples": evaluateExamples, "--save-every": saveEvery, "--keep": keep,
      "--threads": threads,
    ])
    try expectHours(hours)
  }

  func run() throws {
    let sentinel = RunGuard(deadlines: patience.deadlines, slurmGrace: patience.grace)
    try runOnAllRanks { world in
      do {
        let ending = try train(world, sentinel)
        sentinel.end(ending == .finished ? "finished" : "stopped")
        switch ending {
        case .finished: break
        case .stopped: throw ExitCode(ExitStatus.stopped.rawValue)
        case .sick: throw ExitCode(ExitStatus.sick.rawValue)
        }
      } catch {
        sentinel.end(error is ExitCode ? "stopped" : "failed")
        throw error
      }
    }
  }

  private func train(_ world: Communicator, _ sentinel: RunGuard) throws -> PretrainingRun.Ending {
    let start = now()
    try expectEqualPrograms(world)
    sentinel.watchdog.enter(.start)
    let (configuration, initial, data) = try prepare(world, sentinel)
    sentinel.watchdog.join(rank: world.rank, of: world.size, folder: output)
    let slices = ReductionTree(sliceCount: configuration.recipe.slices)
      .run(of: world.rank, of: world.size)
    let layout = try RankLayout(world: world, threads: threads, slices: slices.count)
    let run = try PretrainingRun(
      configuration: configuration, initial: initial, data: data, folder: output, world: world,
      layout: layout, options: options(configuration.recipe, data), watchdog: sentinel.watchdog,
      start: start)
    defer { run.end() }
    return try run.train()
  }

  private func options(
    _ recipe: PretrainingConfiguration.Recipe, _ data: ShardSet
  ) -> PretrainingRun.Options {
    // An evaluated sequence costs a third of one that is trained on.
    let examples = min(evaluateExamples, data.heldOutCount)
    let usual = max(min(5000, recipe.steps / 12), 5 * examples / recipe.batchSize)
    var options = PretrainingRun.Options()
    (options.hours, options.keep, options.timeline) = (hours, keep, timeline)
    (options.logEvery, options.evaluateEvery) = (logEvery, evaluateEvery ?? max(1, usual))
    (options.saveEvery, options.saveMinutes) = (saveEvery, saveMinutes)
    options.evaluateExamples = evaluateExamples
    (options.recomputes, options.stopsWhenSick) = (self.recipe.recompute, stopWhenSick)
    return options
  }

  /// Opens the data on every rank and settles configuration and first weights on rank zero.
  private func prepare(
    _ world: Communicator, _ sentinel: RunGuard
  ) throws -> (PretrainingConfiguration, InitialModel?, ShardSet) {
    let phase = try world.agree {
      world.rank == 0 ? try nextPhase.map { try PhaseFile(path: $0) } : nil
    }
    let told = String(decoding: try world.broadcast(Array((phase?.data ?? "").utf8)), as: UTF8.self)
    let data = try world.agree { try ShardSet(folder: told.isEmpty ? self.data : told) }
    try world.expectEqual([
      ("vocabulary", data.description.vocabularyDigest), ("data", data.description.digest),
    ])
    let layout = try RankLayout(world: world, threads: threads, slices: .max)
    let workers = try world.sum([layout.processors.count])[0]
    let own: (configuration: PretrainingConfiguration, initial: InitialModel?)? =
      try world.agree {
        guard world.rank == 0 else { return nil }
        let folder = RunFolder(path: output)
        try folder.make()
        try sentinel.lock(output)
        return try configuration(folder, data, phase, workers: workers)
      }
    let bytes = try world.broadcast(own.map { Array(try $0.configuration.jsonDocument()) } ?? [])
    return (
      try decodeJSON(PretrainingConfiguration.self, Data(bytes), from: output), own?.initial, data
    )
  }

  /// The configuration of the run that is there; or a new one, which is then written, with the model
  /// that the run begins with.
  private func configuration(
    _ folder: RunFolder, _ data: ShardSet, _ phase: PhaseFile?, workers: Int
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    let steps = CheckpointStore(runFolder: output).steps()
    // A run that was killed before its first checkpoint has its first weights yet to come.
    func initialModel(_ task: PretrainingTask) throws -> InitialModel? {
      guard steps.isEmpty, !initFrom.isEmpty else { return nil }
      let initial = try InitialModel(initFrom, task)
      try initial.expect(data)
      return initial
    }
    if var existing = try folder.existingConfiguration() {
      let before = existing
      let start = try RunStart(folder: output)
      try start?.expectSame(initial: initFrom, hasCheckpoints: !steps.isEmpty)
      try phase?.append(
        to: &existing, stepsDone: steps.last ?? 0, data: data.description.digest)
      try check(existing, data)
      try recipe.expectSame(
        existing, start: start,
        hasInitialModel: !(start?.initial.isEmpty ?? initFrom.isEmpty),
        isNextPhase: phase != nil)
      try RecipeOptions.check(existing)
      if existing != before {
        try data.expect(CheckpointFolder(output).tokenizer, of: output)
        try folder.write(existing)
      }
      return (existing, try initialModel(existing.recipe.task))
    }
    if let nextPhase, phase != nil {
      throw UsageError("\(output) has no run that \(nextPhase) could be the next phase of")
    }
    var initial: InitialModel?
    var new = try recipe.configuration(
      vocabularySize: data.vocabulary.size, dataLength: data.description.maximumLength,
      workers: workers
    ) { task in
      initial = try initialModel(task)
      return initial?.sizes
    }
    new.data = data.description.digest
    try check(new, data)
    try folder.write(new)
    try RunStart(preset: recipe.config == nil ? recipe.usualPreset : nil, initial: initFrom)
      .write(to: output)
    return (new, initial)
  }

  private func check(_ configuration: PretrainingConfiguration, _ data: ShardSet) throws {
    guard configuration.data == data.description.digest else {
      throw UsageError(
        "\(data.folder) does not hold the data that the run trains on; give the --data that it "
          + "began with, or a new --output")
    }
    try data.expect(length: configuration.recipe.length)
    guard configuration.model.vocabularySize == data.vocabulary.size else {
      throw UsageError(
        "the model's vocabulary has \(configuration.model.vocabularySize) tokens and that of "
          + "\(data.folder) has \(data.vocabulary.size); use the data that the run began with")
    }
  }
}
