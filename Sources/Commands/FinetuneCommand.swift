import ArgumentParser
import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// `electra finetune`: a pre-trained encoder learns a task.
struct FinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Fine-tunes an encoder on a task; goes on where it was left.",
    discussion: """
      After each epoch the dev data are answered, and the model of the best epoch is kept, once for \
      each seed. Works under mpirun and srun as well as alone; the result does not depend on how \
      many ranks and threads there are.
      """)

  @OptionGroup var task: TaskOptions

  @Option(
    help: """
      The encoder: the folder of a run or checkpoint, of a Hugging Face ELECTRA or BERT, or of a \
      model that was fine-tuned before.
      """)
  var from: String

  @Option(help: "The folder to make; a fine-tuning that is there is gone on with.")
  var output: String

  @Option(help: "The head: transformers (can be exported) or reference (the paper's).")
  var head = HeadStyle.transformers

  @OptionGroup var recipe: FinetuningRecipeOptions

  @Option(help: "How many seeds to train with, --seed being the first.")
  var seeds = 1

  @Flag(help: "Begin with new weights in the encoder's sizes, as if it were not pre-trained.")
  var scratch = false

  @Option(help: "Stop after so many hours of this start, with a checkpoint to go on from.")
  var hours: Double?

  @Option(help: "Minutes after which a checkpoint is written.")
  var saveMinutes = 15.0

  @Option(help: "Steps between lines of metrics.")
  var logEvery = 50

  @Option(help: "Lanes a rank; by default its fair share of the host's cores.")
  var threads: Int?

  @OptionGroup var patience: GuardOptions

  @Flag(help: "Check everything, say what would be done, and make nothing.")
  var dryRun = false

  @Flag(help: "Print the results as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--seeds": seeds, "--log-every": logEvery, "--threads": threads])
    try expectHours(hours)
    if (recipe.seed ?? 0).addingReportingOverflow(UInt64(seeds)).overflow {
      throw ValidationError("there are no \(seeds) seeds from --seed \(recipe.seed ?? 0) on")
    }
  }

  func run() throws {
    let sentinel = RunGuard(deadlines: patience.deadlines, slurmGrace: patience.grace)
    try runOnAllRanks { world in
      do {
        let isFinished = try finetune(world, sentinel)
        sentinel.end(isFinished ? "finished" : "stopped")
        if !isFinished { throw ExitCode(ExitStatus.stopped.rawValue) }
      } catch {
        sentinel.end(error is ExitCode ? "stopped" : "failed")
        throw error
      }
    }
  }

  /// Returns whether all seeds are done.
  private func finetune(_ world: Communicator, _ sentinel: RunGuard) throws -> Bool {
    let start = now()
    try expectEqualPrograms(world)
    sentinel.watchdog.enter(.start)
    let workers = try world.sum([
      RankLayout(world: world, threads: threads, slices: .max).processors.count
    ])[0]
    var plan = try world.agree {
      try FinetuningPlan(
        task.request(from: from, isScratch: scratch, head: head), workers: workers,
        change: recipe.apply)
    }
    try world.expectEqual([
      ("encoder", plan.configuration.encoder), ("training data", plan.configuration.data),
      ("dev or test data", (plan.dev + plan.test).map(\.fingerprint).joined(separator: " ")),
    ])
    if dryRun {
      try world.agree { if world.rank == 0 { _ = try existing(like: plan.configuration) } }
      if world.rank == 0 { StandardOutput.print(plan.summary.joined(separator: "\n")) }
      return true
    }
    plan.configuration = try settle(plan.configuration, world, sentinel)
    sentinel.watchdog.join(rank: world.rank, of: world.size, folder: output)
    let log = RunLog(path: world.rank == 0 ? output + "/log.txt" : nil)
    if world.rank == 0 { for line in plan.summary { log.say(line) } }
    guard let results = try train(plan, world, log, sentinel, start) else { return false }
    do {
      try answerTests(plan, results, world, log, sentinel.watchdog)
    } catch TrainerError.stopped {
      if world.rank == 0 { log.say("stopped as asked; the same command answers what is left") }
      return false
    }
    if world.rank == 0 { StandardOutput.print(json ? try results.summary().json() : results.table) }
    return true
  }

  /// The configuration of the fine-tuning that is there; or this one, which is then written.
  private func settle(
    _ wanted: FinetuningConfiguration, _ world: Communicator, _ sentinel: RunGuard
  ) throws -> FinetuningConfiguration {
    let own: FinetuningConfiguration? = try world.agree {
      guard world.rank == 0 else { return nil }
      let folder = RunFolder(path: output)
      try folder.make()
      try sentinel.lock(output)
      if let existing = try existing(like: wanted) { return existing }
      try AtomicFile.write(wanted.jsonDocument(), to: configurationPath, replacing: true)
      return wanted
    }
    let bytes = try world.broadcast(own.map { Array(try $0.jsonDocument()) } ?? [])
    return try decodeJSON(FinetuningConfiguration.self, Data(bytes), from: output)
  }

  private var configurationPath: String { output + "/finetuning.json" }

  /// The configuration of the fine-tuning that is there, which must be `wanted`; nil for none.
  private func existing(like wanted: FinetuningConfiguration) throws -> FinetuningConfiguration? {
    guard let data = FileManager.default.contents(atPath: configurationPath) else {
      guard try RunFolder(path: output).existingConfiguration() == nil else {
        throw UsageError("\(output) holds a run of pretrain; choose another --output")
      }
      return nil
    }
    let existing = try decodeJSON(FinetuningConfiguration.self, data, from: configurationPath)
    var wanted = wanted
    // Unless told, the number of slices is that of the first start.
    if recipe.slices == nil { wanted.recipe.slices = existing.recipe.slices }
    if let differences = try wanted.differences(from: existing) {
      throw UsageError(
        "\(output) holds another fine-tuning: \(differences); choose another --output")
    }
    return existing
  }

  /// Trains with every seed that is not done; nil when asked to stop. Seeds above those that are asked
  /// for stay in the results where they are done.
  private func train(
    _ plan: FinetuningPlan, _ world: Communicator, _ log: RunLog, _ sentinel: RunGuard,
    _ start: Double
  ) throws -> FinetuningResults? {
    let slices = ReductionTree(sliceCount: plan.recipe.slices).run(of: world.rank, of: world.size)
    let layout = try RankLayout(world: world, threads: threads, slices: slices.count)
    var done: [FinetuningResults.SeedResult] = []
    for seed in plan.recipe.seed... {
      let folder = "\(output)/\(FinetuningResults.folder(ofSeed: seed))"
      if let result = try existingResult(folder, world) {
        done.append(result)
        continue
      }
      if done.count >= seeds { break }
      try world.agree { if world.rank == 0 { try RunFolder(path: folder).make() } }
      let run = try FinetuningRun(
        plan, seed: seed, folder: folder, world: world, layout: layout,
        options: .init(hours: hours, saveMinutes: saveMinutes, logEvery: logEvery), log: log,
        watchdog: sentinel.watchdog, start: start)
      defer { run.end() }
      guard case .finished(let result) = try run.train() else { return nil }
      done.append(result)
    }
    let measures = plan.measured.flatMap { set in
      set.metrics.map { FinetuningResults.Measure(split: set.split.name, metric: $0) }
    }
    let results = FinetuningResults(
      task: plan.task.name, head: plan.model.style, measures: measures, seeds: done)
    try world.agree {
      guard world.rank == 0 else { return }
      try AtomicFile.write(results.json().utf8, to: output + "/results.json", replacing: true)
    }
    return results
  }

  /// What a seed that is done has come to; nil for one that is not.
  private func existingResult(
    _ folder: String, _ world: Communicator
  ) throws -> FinetuningResults.SeedResult? {
    let path = folder + "/" + FinetuningResults.seedFile
    let own = world.rank == 0 ? FileManager.default.contents(atPath: path) : nil
    let bytes = try world.broadcast(Array(own ?? Data()))
    if bytes.isEmpty { return nil }
    return try decodeJSON(FinetuningResults.SeedResult.self, Data(bytes), from: path)
  }

  /// Answers dev and test data with the best seed's model, as files in `predictions/`, unless an earlier
  /// start has: `answered.txt` says what was answered by which seed.
  private func answerTests(
    _ plan: FinetuningPlan, _ results: FinetuningResults, _ world: Communicator, _ log: RunLog,
    _ watchdog: Watchdog
  ) throws {
    let folder = output + "/predictions"
    let sets = plan.dev + plan.test
    let task = ["seed \(results.bestSeed)"] + sets.map(\.fingerprint)
    let note = Data((task.joined(separator: "\n") + "\n").utf8)
    let isDone = FileManager.default.contents(atPath: folder + "/answered.txt") == note
    if try world.sum([world.rank == 0 && isDone ? 1 : 0])[0] > 0 { return }
    let weights = try world.agree {
      guard world.rank == 0 else { return Storage(count: plan.model.layout.count) }
      try RunFolder(path: folder).make()
      return try FinetunedFolder(output).weights()
    }
    let layout = try RankLayout(world: world, threads: threads, slices: .max)
    let predictor = try Predictor(
      plan.model, weights: weights, longest: plan.longest, world: world,
      processors: layout.processors, watchdog: watchdog)
    defer { predictor.end() }
    var names: [String] = []
    for set in sets {
      let answers = try predictor.answers(to: set)
      try world.agree {
        if world.rank == 0 { names += try set.write(answers, to: folder, replacing: true) }
      }
    }
    try world.agree {
      guard world.rank == 0 else { return }
      try AtomicFile.write(note, to: folder + "/answered.txt", replacing: true)
      log.say("answers of seed \(results.bestSeed) in \(folder): \(names.joined(separator: ", "))")
    }
  }
}
