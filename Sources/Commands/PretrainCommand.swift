import ArgumentParser
import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Tensors
import Training

/// `electra pretrain`: the main job.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Pre-trains a generator and a discriminator; goes on where the run was left.",
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

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Steps between lines of metrics.")
  var logEvery = 50

  @Option(
    help: "Steps between held-out evaluations; by default a twelfth of the run, at most 5000.")
  var evaluateEvery: Int?

  @Option(help: "Held-out examples of an evaluation.")
  var evaluateExamples = 2048

  @Option(help: "Steps between checkpoints.")
  var saveEvery = 1000

  @Option(help: "Minutes after which a checkpoint is written at the latest.")
  var saveMinutes = 30.0

  @Option(help: "How many of the newest checkpoints are kept.")
  var keep = newestKept

  /// The checkpoints that are kept unless the user says otherwise.
  static let newestKept = 3

  func validate() throws {
    let counts = [
      ("--log-every", logEvery), ("--evaluate-every", evaluateEvery ?? 1),
      ("--evaluate-examples", evaluateExamples), ("--save-every", saveEvery), ("--keep", keep),
      ("--threads", threads ?? 1),
    ]
    for (name, value) in counts where value < 1 {
      throw ValidationError("\(name) must be at least 1, not \(value)")
    }
  }

  func run() throws {
    try runOnAllRanks { world in
      StopSignals.install()
      let start = now()
      let (configuration, initial, data) = try prepare(world)
      let settings = configuration.recipe
      let perRank = ReductionTree(sliceCount: settings.slices).run(of: world.rank, of: world.size)
      let layout = try RankLayout(world: world, threads: threads, slices: perRank.count)
      let run = try PretrainingRun(
        configuration: configuration, initial: initial, data: data, folder: output, world: world,
        layout: layout,
        options: options(settings), start: start)
      defer { run.end() }
      if try run.train() == .stopped { throw ExitCode(ExitStatus.stopped.rawValue) }
    }
  }

  private func options(_ recipe: PretrainingConfiguration.Recipe) -> PretrainingRun.Options {
    PretrainingRun.Options(
      hours: hours, logEvery: logEvery,
      evaluateEvery: evaluateEvery ?? max(1, min(5000, recipe.steps / 12)),
      evaluateExamples: evaluateExamples, saveEvery: saveEvery, saveMinutes: saveMinutes,
      keep: keep)
  }

  /// Opens the data on every rank and settles configuration and first weights on rank zero.
  private func prepare(
    _ world: Communicator
  ) throws -> (PretrainingConfiguration, InitialModel?, ShardSet) {
    let data = try world.agree { try ShardSet(folder: self.data) }
    try world.expectEqual([
      ("vocabulary", data.description.vocabularyDigest),
      (
        "data",
        (data.description.trainFiles + data.description.heldOutFiles).map(\.checksum).joined()
      ),
    ])
    let layout = try RankLayout(world: world, threads: threads, slices: .max)
    let workers = try world.sum([layout.processors.count])[0]
    let own: (configuration: PretrainingConfiguration, initial: InitialModel?)? =
      try world.agree {
        guard world.rank == 0 else { return nil }
        return try configuration(data, workers: workers)
      }
    let bytes = try world.broadcast(own.map { Array(try $0.configuration.encoded()) } ?? [])
    return (try PretrainingConfiguration.read(Data(bytes), from: output), own?.initial, data)
  }

  /// The configuration of the run that is there; or a new one, which is then written, with the model
  /// that the run begins with.
  private func configuration(
    _ data: ShardSet, workers: Int
  ) throws -> (PretrainingConfiguration, InitialModel?) {
    let folder = RunFolder(path: output)
    let existing = try folder.existingConfiguration()
    if let existing {
      try recipe.expectSame(existing)
      try check(existing, data)
    }
    // A run that was killed before its first checkpoint has its first weights yet to come.
    let isNew = CheckpointStore(runFolder: output).steps().isEmpty
    let initial = try isNew && !initFrom.isEmpty ? InitialModel(initFrom) : nil
    try initial?.expect(data.vocabulary, of: self.data)
    if let existing { return (existing, initial) }
    let new = try recipe.configuration(
      vocabularySize: data.vocabulary.size, dataLength: data.description.maximumLength,
      workers: workers, sizes: initial?.sizes)
    try check(new, data)
    try folder.create(new)
    return (new, initial)
  }

  private func check(_ configuration: PretrainingConfiguration, _ data: ShardSet) throws {
    try data.expect(length: configuration.recipe.length)
    guard configuration.model.vocabularySize == data.vocabulary.size else {
      throw UsageError(
        "the model's vocabulary has \(configuration.model.vocabularySize) tokens and that of "
          + "\(self.data) has \(data.vocabulary.size); use the data that the run began with")
    }
  }
}
