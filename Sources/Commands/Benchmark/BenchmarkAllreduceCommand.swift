import ArgumentParser
import Collectives
import Foundation
import Platform
import Reports
import Runs

/// `electra benchmark allreduce`: times a step after the backward pass.
struct BenchmarkAllreduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Times reduction and update beside a ring MPI_Allreduce with a replicated optimizer.",
    discussion: """
      Run it under mpirun or srun. The two alternate. Prints both medians and the median of the \
      ratios per round, which is above 1 if electra is slower.
      """)

  @OptionGroup var recipe: RecipeOptions

  @Option(help: "Tokens of the vocabulary.")
  var vocabularySize = 30_522

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Timed rounds, after one that is not timed.")
  var rounds = 11

  @Flag(help: "Print the figures as JSON.")
  var json = false

  func validate() throws {
    try expectCounts([
      "--vocabulary-size": vocabularySize, "--rounds": rounds, "--threads": threads,
    ])
  }

  func run() throws {
    // Selects the ring: by default Open MPI uses only 60 % of a slow link between four hosts.
    setenv("OMPI_MCA_coll_tuned_allreduce_algorithm", "4", 0)
    try runOnAllRanks { world in
      let layout = try RankLayout(world: world, threads: threads, slices: .max)
      let workers = try world.sum([layout.processors.count])[0]
      let configuration = try recipe.configuration(
        vocabularySize: vocabularySize, dataLength: .max, ranks: world.size,
        workers: workers)
      let measurement = try ReductionMeasurement(
        configuration, world: world, processors: layout.processors, rounds: rounds)
      guard world.rank == 0 else { return }
      if json { return try StandardOutput.print(measurement.json()) }
      StandardOutput.print(measurement.line)
    }
  }
}
