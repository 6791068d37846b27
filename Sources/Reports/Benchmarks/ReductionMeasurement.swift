import Collectives
import Electra
import Foundation
import Layers
import Platform
import Runs
import Tensors
import Training

/// The time of a step after its backward pass, beside a ring `MPI_Allreduce` with a replicated
/// optimizer.
package struct ReductionMeasurement: Encodable {
  let ranks: Int
  /// Worker threads of rank 0.
  let workers: Int
  /// Bytes of the gradient vector.
  let bytes: Int
  /// Median seconds of both ways, and the median of their ratios per round.
  let sharded: Double
  let replicated: Double
  let ratio: Double
  /// Peak resident memory, summed over ranks, in bytes.
  let peakMemory: Int

  private enum CodingKeys: String, CodingKey {
    case ranks, bytes, ratio
    case workers = "lanes"
    case sharded = "seconds"
    case replicated = "plain_seconds"
    case peakMemory = "peak_memory_bytes"
  }

  /// Runs both ways in turns, one round that is not timed and `rounds` that are.
  ///
  /// Every rank must call it.
  package init(
    _ configuration: PretrainingConfiguration, world: Communicator, processors: [Int], rounds: Int
  ) throws {
    let model = configuration.makeModel()
    let comparison = try ReductionComparison(
      layout: model.layout, regions: model.gradientOrder, arithmetic: configuration.arithmetic,
      settings: configuration.trainerSettings, world: world, processors: processors)
    defer { comparison.end() }
    let times = try (0...rounds).map { _ in
      (
        try Self.time(world, comparison, comparison.sharded),
        try Self.time(world, comparison, comparison.replicated)
      )
    }.dropFirst()
    (ranks, workers, bytes) = (world.size, processors.count, 4 * model.layout.count)
    (sharded, replicated) = (times.map(\.0).median, times.map(\.1).median)
    ratio = times.map { $0.0 / $0.1 }.median
    peakMemory = try world.sum([MachineSpeed.peakMemory])[0]
  }

  /// The seconds that the slowest rank takes for `body`.
  private static func time(
    _ world: Communicator, _ comparison: ReductionComparison, _ body: () throws -> Void
  ) throws -> Double {
    comparison.refill()
    try world.barrier()
    let start = now()
    try body()
    return try world.gather([now() - start]).compactMap(\.first).max() ?? 0
  }

  /// The measurement as a line for people.
  package var line: String {
    "\(ranks) x \(workers) threads, \(bytes.bytes): "
      + String(
        format: "%.1f ms, MPI_Allreduce %.1f ms, ratio %.2f", 1000 * sharded, 1000 * replicated,
        ratio)
  }
}
