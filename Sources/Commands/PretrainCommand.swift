import ArgumentParser
import Collectives
import Corpus
import Electra
import Models
import Platform
import Reports
import Runs
import Tokenization
import Training

/// `electra pretrain`: pre-trains a model, or resumes a run.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract:
      "Pre-trains ELECTRA or a masked language model, or resumes an existing run.",
    discussion: """
      Uses all cores of this machine, or of several hosts under mpirun or srun. The result does \
      not depend on the number of ranks and threads.
      """)

  @Option(help: "The folder that prepare wrote.")
  var data: String

  @Option(help: "The folder of the run; an existing run is resumed.")
  var output: String

  @OptionGroup var recipe: RecipeOptions

  @Option(
    help: """
      Start from the weights of a run, a checkpoint, or a Hugging Face discriminator or BERT; give \
      it twice for discriminator and generator. The sizes are the folder's, the recipe is the \
      preset's.
      """)
  var initFrom: [String] = []

  @Option(help: "Start from the state of a checkpoint, with the rest of its recipe and options.")
  var branchFrom: String?

  @Option(
    help: """
      A JSON file with the next phase of a finished run: num_train_steps, and optionally data, \
      max_seq_length, train_batch_size, slices, micro_batch_tokens, learning_rate, \
      num_warmup_steps (by default a tenth of the steps), objective and its settings.
      """)
  var nextPhase: String?

  @OptionGroup var start: RunOptions

  @Option(
    help: """
      Steps between held-out evaluations; by default a twelfth of the run, at most 5000, or more \
      if evaluation would cost over a fifteenth of training.
      """)
  var evaluateEvery: Int?

  @Option(help: "Held-out examples per evaluation.")
  var evaluateExamples = 2048

  @Option(help: "A file of minimal pairs (see evaluate) that each held-out evaluation includes.")
  var evaluatePairs: String?

  @Option(help: "Steps between checkpoints.")
  var saveEvery = 1000

  @Option(help: "The longest time between checkpoints, in minutes.")
  var saveMinutes = 30.0

  @Option(help: "The number of newest checkpoints that are kept, besides the milestones.")
  var keep = newestKept

  @Option(
    help: """
      A file for the trace of all threads of all ranks in the first 20 steps of this start, for \
      ui.perfetto.dev or chrome://tracing.
      """)
  var timeline: String?

  @Flag(
    help: """
      Stop with a checkpoint and status 77 at a fatal health warning: a discriminator that \
      predicts the majority class, predictions that ignore context, divergence, overfitting.
      """)
  var stopWhenUnhealthy = false

  // The former name of --stop-when-unhealthy.
  @Flag(name: .customLong("stop-when-sick"), help: .hidden)
  var stopWhenSick = false

  /// The default of `--keep`.
  static let newestKept = 3

  func validate() throws {
    let others = initFrom + [nextPhase, recipe.config, recipe.preset?.rawValue].compactMap(\.self)
    if branchFrom != nil && !others.isEmpty {
      throw ValidationError(
        "--branch-from has a recipe: omit --init-from, --next-phase, --config and --preset")
    }
    try expectCounts([
      "--evaluate-every": evaluateEvery, "--evaluate-examples": evaluateExamples,
      "--save-every": saveEvery, "--keep": keep,
    ])
    try expectTimes(["--save-minutes": saveMinutes])
  }

  func run() throws {
    try start.runOnAllRanks(self) { world, runGuard in
      let pairs = try evaluatePairs.map { try MinimalPairs.read($0, world) }
      let (configuration, initial, data) = try prepare(world, runGuard)
      let context = try start.context(
        output, world, runGuard, slices: configuration.recipe.slices)
      let run = try PretrainingRun(
        configuration, initial: initial, data: data, context: context,
        options: options(configuration.recipe, data, pairs))
      defer { run.end() }
      if let advice = advice(configuration, world) { context.log.write("note: \(advice)") }
      return switch try run.train() {
      case .finished: .success
      case .stopped: .stopped
      case .unhealthy: .unhealthy
      }
    }
  }

  /// Advice on the arithmetic of a new run, on rank 0, unless the user chose one.
  private func advice(_ configuration: PretrainingConfiguration, _ world: Communicator) -> String? {
    guard world.rank == 0, recipe.products.arithmetic == nil,
      CheckpointStore(runFolder: output).steps().isEmpty
    else { return nil }
    return MachineSpeed.advice(for: configuration)
  }

  private func options(
    _ recipe: PretrainingConfiguration.Recipe, _ data: ShardSet, _ pairs: MinimalPairs?
  ) -> PretrainingRun.Options {
    // Evaluating a sequence costs a third of training on it, because it has no backward pass. So
    // evaluations at least 5 x examples sequences apart cost at most a fifteenth of training.
    let examples = min(evaluateExamples, data.heldOutCount)
    let usual = max(min(5000, recipe.steps / 12), 5 * examples / recipe.batchSize)
    var options = PretrainingRun.Options(start.settings)
    (options.run.saveEvery, options.run.keep, options.run.timeline) = (saveEvery, keep, timeline)
    options.run.saveMinutes = saveMinutes
    options.evaluateEvery = evaluateEvery ?? max(1, usual)
    (options.evaluateExamples, options.pairs) = (evaluateExamples, pairs)
    (options.recomputes, options.stopsWhenUnhealthy) = (
      self.recipe.recompute, stopWhenUnhealthy || stopWhenSick
    )
    return options
  }

  /// Opens the data on every rank, and settles the configuration and the initial model on rank 0.
  ///
  /// Only rank 0 returns the initial model. Throws on all ranks if their data differ.
  private func prepare(
    _ world: Communicator, _ runGuard: RunGuard
  ) throws -> (PretrainingConfiguration, InitialModel?, ShardSet) {
    let phase = try world.agree {
      world.rank == 0 ? try nextPhase.map { try PhaseFile(path: $0) } : nil
    }
    let folder = try world.broadcast(json: { phase?.data })
    let data = try world.agree { try ShardSet(folder: folder ?? self.data) }
    try world.expectEqual([
      ("vocabulary", data.description.vocabularyDigest), ("data", data.description.digest),
    ])
    let workers = try start.workers(world)
    var initial: InitialModel?
    let configuration = try world.broadcast {
      let folder = RunFolder(path: output)
      try folder.make()
      try runGuard.lock(output)
      let configuration: PretrainingConfiguration
      if let existing = try folder.existingConfiguration() {
        (configuration, initial) = try resumed(existing, folder, data, phase)
      } else if let nextPhase, phase != nil {
        throw UsageError(
          "--next-phase \(nextPhase) needs a finished run, and there is no run in \(output)")
      } else if let branchFrom {
        configuration = try branch(branchFrom, data, ranks: world.size)
      } else {
        (configuration, initial) = try new(folder, data, ranks: world.size, workers: workers)
      }
      return configuration
    }
    return (configuration, initial, data)
  }

  /// The configuration of the existing run, with the next phase if one is given.
  private func resumed(
    _ existing: PretrainingConfiguration, _ folder: RunFolder, _ data: ShardSet,
    _ phase: PhaseFile?
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    var configuration = existing
    let steps = CheckpointStore(runFolder: output).steps()
    let start = try RunStart(folder: output)
    try start?.expectSame(initial: initFrom, hasCheckpoints: !steps.isEmpty)
    try start?.expectSame(branch: branchFrom)
    try phase?.append(
      to: &configuration, stepsDone: steps.last ?? 0, data: data.description.digest,
      branchStep: start?.branch?.step ?? 0)
    try data.expect(configuration)
    try recipe.expectSame(
      configuration, start: start,
      hasInitialModel: !(start?.initial.isEmpty ?? initFrom.isEmpty), isNextPhase: phase != nil)
    try RecipeOptions.check(configuration)
    if configuration != existing {
      try data.expect(CheckpointFolder(output).tokenizer, of: output)
      try folder.write(configuration)
    }
    guard steps.isEmpty else { return (configuration, nil) }
    // A run that was killed before its first checkpoint still needs its branch or initial model.
    try RunBranch.copyMissingCheckpoint(start, configuration, in: output)
    return (configuration, try initialModel(configuration.recipe.task, data))
  }

  /// Writes the configuration of a new run; returns it and the initial model.
  private func new(
    _ folder: RunFolder, _ data: ShardSet, ranks: Int, workers: Int
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    var initial: InitialModel?
    var configuration = try recipe.configuration(
      vocabularySize: data.vocabulary.size, dataLength: data.description.maximumLength,
      ranks: ranks, workers: workers
    ) { task in
      initial = try initialModel(task, data)
      return initial?.sizes
    }
    configuration.data = data.description.digest
    try data.expect(configuration)
    // First, so that a start which is killed here is not resumed without its initial model.
    try RunStart(preset: recipe.config == nil ? recipe.usualPreset : nil, initial: initFrom)
      .write(to: output)
    try folder.write(configuration)
    return (configuration, initial)
  }

  /// Writes a new run that is branched from a checkpoint, and returns its configuration.
  private func branch(
    _ path: String, _ data: ShardSet, ranks: Int
  ) throws -> PretrainingConfiguration {
    let branch = try RunBranch(path)
    var configuration = branch.configuration
    recipe.apply(to: &configuration)
    try recipe.objective.check(configuration.recipe.task)
    recipe.objective.apply(to: &configuration.model, configuration.recipe.task)
    configuration.data = data.description.digest
    try branch.expectFits(configuration, data)
    try RecipeOptions.check(configuration)
    configuration.setExchangeLevel(ranks: ranks)
    try branch.write(configuration, to: output)
    return configuration
  }

  /// The model of `--init-from`; nil without the option.
  private func initialModel(_ task: PretrainingTask, _ data: ShardSet) throws -> InitialModel? {
    if initFrom.isEmpty { return nil }
    let initial = try InitialModel(initFrom, task)
    try initial.expect(data)
    return initial
  }
}
