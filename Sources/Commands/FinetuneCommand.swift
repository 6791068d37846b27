import ArgumentParser
import Collectives
import Finetuning
import Models
import Platform
import Runs
import Training

/// `electra finetune`: trains a pre-trained encoder on a task.
struct FinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Fine-tunes an encoder on a task, or resumes a fine-tuning.",
    discussion: """
      For each seed, the model is evaluated on the dev data after every epoch and the best epoch \
      is kept; with --folds, the last one. Runs alone or under mpirun or srun; the result does not \
      depend on the number of ranks and threads.
      """)

  @OptionGroup var task: TaskOptions

  @Option(
    help: """
      The encoder: a run, a checkpoint, a Hugging Face ELECTRA or BERT, or an earlier fine-tuning.
      """)
  var from: String

  @Option(help: "The folder to write; an existing fine-tuning is resumed.")
  var output: String

  @Option(help: "The head: transformers (can be exported) or reference (the paper's).")
  var head = HeadStyle.transformers

  @OptionGroup var recipe: FinetuningRecipeOptions

  @Option(help: "The number of seeds, beginning with --seed.")
  var seeds = 1

  @Flag(help: "Start from new weights in the encoder's sizes, as if it were not pre-trained.")
  var scratch = false

  @OptionGroup var start: RunOptions

  @Option(help: "The longest time between checkpoints, in minutes.")
  var saveMinutes = 15.0

  @Flag(help: "Check everything, print what would be done, and write nothing.")
  var dryRun = false

  @Flag(help: "Print the results as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--seeds": seeds])
    try expectTimes(["--save-minutes": saveMinutes])
    if task.folds != nil && seeds != 1 {
      throw ValidationError("--folds trains with one seed; omit --seeds")
    }
    if (recipe.seed ?? 0).addingReportingOverflow(UInt64(seeds)).overflow {
      throw ValidationError(
        "--seeds \(seeds) from --seed \(recipe.seed ?? 0) exceeds the largest seed")
    }
  }

  func run() throws {
    try start.runOnAllRanks(self) { world, runGuard in
      var plan = try plan(world)
      if dryRun {
        try world.agree { if world.rank == 0 { try expectFree(for: plan.configuration) } }
        if world.rank == 0 { StandardOutput.print(plan.summary.joined(separator: "\n")) }
        return .success
      }
      plan.configuration = try plan.configuration.settled(
        in: output, keeping: recipe.keep, world, lock: runGuard.lock)
      let context = try start.context(output, world, runGuard, slices: plan.recipe.slices)
      return try finetune(plan, context) ? .success : .stopped
    }
  }

  /// The plan of this fine-tuning; throws unless it is the same on every rank.
  private func plan(_ world: Communicator) throws -> FinetuningPlan {
    let workers = try start.workers(world)
    let plan = try world.agree {
      try FinetuningPlan(
        task.request(from: from, isScratch: scratch, head: head), workers: workers,
        change: recipe.apply)
    }
    try world.expectEqual([
      ("encoder", plan.configuration.encoder), ("training data", plan.configuration.data),
      ("dev or test data", (plan.dev + plan.test).map(\.fingerprint).joined(separator: " ")),
    ])
    return plan
  }

  /// Checks that the output contains this fine-tuning or none.
  private func expectFree(for configuration: FinetuningConfiguration) throws {
    _ = try FinetuningConfiguration.existing(
      in: output, like: configuration, keeping: recipe.keep)
  }

  /// Trains all seeds and predicts all files; false if the run was asked to stop before the end.
  private func finetune(_ plan: FinetuningPlan, _ context: RunContext) throws -> Bool {
    if context.isFirst { plan.summary.forEach(context.log.write) }
    var settings = start.settings
    settings.saveMinutes = saveMinutes
    let run = FinetuningSeeds(plan, count: seeds, context: context, settings: settings)
    guard let results = try run.train() else { return false }
    do {
      try run.writePredictions(of: results, processors: start.layout(context.world).processors)
    } catch TrainerError.stopped {
      if context.isFirst {
        context.log.write("stopped as requested; the same command predicts the rest")
      }
      return false
    }
    if context.isFirst {
      StandardOutput.print(json ? try results.summary().json() : results.table)
    }
    return true
  }
}
