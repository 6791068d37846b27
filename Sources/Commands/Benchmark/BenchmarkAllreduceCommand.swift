import ArgumentParser
import Collectives
import Electra
import Foundation
import Layers
import Models
import Platform
import Reports
import Runs
import Tensors
import Training

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
    try expectCounts(["--rounds": rounds, "--threads": threads])
  }

  private struct Figures: Encodable {
    let ranks: Int
    let workers: Int
    let bytes: Int
    let ours: Double
    let plain: Double
    let ratio: Double
    let peakMemory: Int

    enum CodingKeys: String, CodingKey {
      case ranks, bytes, ratio
      case workers = "lanes"
      case ours = "seconds"
      case plain = "plain_seconds"
      case peakMemory = "peak_memory_bytes"
    }
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
      let model = configuration.makeModel()
      let comparison = try ReductionComparison(
        layout: model.layout, regions: model.gradientOrder, arithmetic: configuration.arithmetic,
        settings: configuration.trainerSettings, world: world, processors: layout.processors)
      defer { comparison.end() }
      let times = try (0...rounds).map { _ in
        (
          try time(world, comparison, comparison.sharded),
          try time(world, comparison, comparison.replicated)
        )
      }.dropFirst()
      let figures = Figures(
        ranks: world.size, workers: layout.processors.count, bytes: 4 * model.layout.count,
        ours: times.map(\.0).median, plain: times.map(\.1).median,
        ratio: times.map { $0.0 / $0.1 }.median,
        peakMemory: try world.sum([MachineSpeed.peakMemory])[0])
      guard world.rank == 0 else { return }
      if json { return try StandardOutput.print(figures.json()) }
      StandardOutput.print(
        "\(figures.ranks) x \(figures.workers) threads, \(figures.bytes.bytes): "
          + String(
            format: "%.1f ms, MPI_Allreduce %.1f ms, ratio %.2f", 1000 * figures.ours,
            1000 * figures.plain, figures.ratio))
    }
  }

  /// The seconds that the slowest rank takes for `body`.
  private func time(
    _ world: Communicator, _ comparison: ReductionComparison, _ body: () throws -> Void
  ) throws -> Double {
    comparison.refill()
    try world.barrier()
    let start = now()
    try body()
    return try world.gather([now() - start]).compactMap(\.first).max() ?? 0
  }
}
