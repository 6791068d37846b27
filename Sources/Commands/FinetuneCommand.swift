import ArgumentParser
import Collectives
import Finetuning
import Models
import Platform
import Runs
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

  @OptionGroup var start: RunOptions

  @Option(help: "Minutes between checkpoints, at most.")
  var saveMinutes = 15.0

  @Flag(help: "Check everything, say what would be done, and make nothing.")
  var dryRun = false

  @Flag(help: "Print the results as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--seeds": seeds])
    if (recipe.seed ?? 0).addingReportingOverflow(UInt64(seeds)).overflow {
      throw ValidationError("there are no \(seeds) seeds from --seed \(recipe.seed ?? 0) on")
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
        in: output, choosesSlices: recipe.slices != nil, world, lock: runGuard.lock)
      let context = try start.context(output, world, runGuard, slices: plan.recipe.slices)
      return try finetune(plan, context) ? .success : .stopped
    }
  }

  /// The fine-tuning that is asked for, the same on every rank.
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

  /// Checks that the output holds this fine-tuning or none.
  private func expectFree(for configuration: FinetuningConfiguration) throws {
    _ = try FinetuningConfiguration.existing(
      in: output, like: configuration, choosesSlices: recipe.slices != nil)
  }

  /// Returns whether all seeds are done and all files answered.
  private func finetune(_ plan: FinetuningPlan, _ context: RunContext) throws -> Bool {
    if context.isFirst { plan.summary.forEach(context.log.write) }
    var settings = start.settings
    settings.saveMinutes = saveMinutes
    let run = FinetuningSeeds(plan, count: seeds, context: context, settings: settings)
    guard let results = try run.train() else { return false }
    do {
      try run.answer(results, processors: start.layout(context.world).processors)
    } catch TrainerError.stopped {
      if context.isFirst {
        context.log.write("stopped as asked; the same command answers the rest")
      }
      return false
    }
    if context.isFirst {
      StandardOutput.print(json ? try results.summary().json() : results.table)
    }
    return true
  }
}
