import ArgumentParser
import Collectives
import Electra
import Models
import Platform
import Reports
import Runs
import Training

/// `electra benchmark step`: times whole pre-training steps on random tokens.
struct BenchmarkStepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Times whole pre-training steps: masking to update, dropout included.",
    discussion: """
      Sequences have full length and random tokens. The peak is the rate of all threads together \
      in products of 4096 x 4096 matrices, measured in the same run; the share of peak counts \
      matrix-product FLOPs only. Runs alone or under mpirun.
      """)

  @OptionGroup var recipe: RecipeOptions

  @Option(help: "Tokens of the vocabulary.")
  var vocabularySize = 30_522

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Timed steps, after two that are not timed.")
  var rounds = 5

  @Flag(help: "Do not measure the peak, which takes longer than steps of small models.")
  var withoutPeak = false

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func validate() throws {
    try expectCounts([
      "--vocabulary-size": vocabularySize, "--rounds": rounds, "--threads": threads,
    ])
    // The random tokens are those after the five special ones, between [CLS] and [SEP].
    if vocabularySize < 6 {
      throw ValidationError(
        "--vocabulary-size must be at least 6, special tokens included, not \(vocabularySize)")
    }
  }

  func run() throws {
    try runOnAllRanks { world in
      let configuration = try recipe.configuration(
        vocabularySize: vocabularySize, dataLength: .max, ranks: world.size,
        workers: RankLayout.workers(world: world, threads: threads))
      let length = configuration.recipe.length
      if length < 3 {
        throw UsageError("--length must be at least 3, special tokens included, not \(length)")
      }
      try selectKernel(configuration.arithmetic, world)
      let layout = try RankLayout(
        world: world, threads: threads, sharing: configuration.recipe.slices)
      let measurement = try StepMeasurement(
        configuration, recomputes: recipe.recompute, world: world,
        processors: layout.processors, rounds: rounds, measuresPeak: !withoutPeak)
      guard world.rank == 0 else { return }
      if json {
        try StandardOutput.print(measurement.json())
      } else {
        StandardOutput.print(measurement.table)
      }
    }
  }
}
