import ArgumentParser
import Collectives
import Finetuning
import Models
import Platform
import Reports
import Runs
import Training

/// `electra benchmark finetune`: times whole fine-tuning steps on the sequences of a task.
struct BenchmarkFinetuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "finetune",
    abstract: "Times whole fine-tuning steps on the sequences of a task.",
    discussion: """
      The batches are those of finetune, with their real sequence lengths and without padding. \
      Runs alone or under mpirun.
      """)

  @OptionGroup var task: TaskOptions

  @Option(help: "The encoder, as for finetune.")
  var from: String

  @Option(help: "The head: transformers or reference.")
  var head = HeadStyle.transformers

  @OptionGroup var recipe: FinetuningRecipeOptions

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Timed steps, after two that are not timed.")
  var rounds = 20

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func validate() throws {
    try expectCounts(["--rounds": rounds, "--threads": threads])
  }

  func run() throws {
    try runOnAllRanks { world in
      let workers = try RankLayout.workers(world: world, threads: threads)
      let plan = try world.agree {
        try FinetuningPlan(
          task.request(from: from, head: head), workers: workers, change: recipe.apply)
      }
      try selectKernel(plan.recipe.arithmetic, world)
      let layout = try RankLayout(world: world, threads: threads, sharing: plan.recipe.slices)
      let measurement = try FinetuneMeasurement(
        plan, world: world, processors: layout.processors, rounds: rounds)
      guard world.rank == 0 else { return }
      if json {
        try StandardOutput.print(measurement.json())
      } else {
        StandardOutput.print(measurement.table)
      }
    }
  }
}
