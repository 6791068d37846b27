import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// What was measured of a fine-tuning's steps, over all ranks. Lengths differ from batch to batch, so
/// figures are those of all timed steps together.
package struct FinetuneMeasurement: Encodable {
  let task: String
  let ranks: Int
  /// Of rank zero.
  let lanes: Int
  /// Sequences a step.
  let batch: Int
  /// A step's means.
  let seconds: Double
  let tokens: Double
  /// The tokens that a step would have if its sequences were padded to the longest.
  let paddedTokens: Double
  let examplesPerSecond: Double
  let tokensPerSecond: Double
  /// Of all ranks together, in bytes.
  let peakMemory: Int
  /// Of a lane of rank zero in one step.
  let times: ActivityTimes

  private enum CodingKeys: String, CodingKey {
    case task, ranks, lanes, batch, seconds, tokens
    case paddedTokens = "padded_tokens"
    case examplesPerSecond = "examples_per_second"
    case tokensPerSecond = "tokens_per_second"
    case peakMemory = "peak_memory_bytes"
    case times = "milliseconds"
  }

  /// Steps behind which times are taken.
  private static let warmup = 2

  package init(_ plan: FinetuningPlan, world: Communicator, processors: [Int], rounds: Int) throws {
    let seed = plan.recipe.seed
    let trainer = try plan.trainer(seed: seed, world: world, processors: processors)
    defer { trainer.end() }
    trainer.objective.layout.initialize(trainer.weights, seed: seed)
    try world.agree {
      if world.rank == 0 { try plan.source.load(into: trainer.weights, plan.model) }
    }
    try trainer.shareWeights()
    for step in 0..<Self.warmup { _ = try trainer.step(step) }
    let timed = Self.warmup..<Self.warmup + rounds
    let reports = try timed.map { try trainer.step($0) }
    // A step of its own for the activities, since taking their times has a price.
    Profile.turnOn()
    let profiled = try trainer.step(timed.upperBound)
    times = ActivityTimes(Profile.turnOff(), profiled, lanes: processors.count)

    (task, ranks, lanes) = (plan.task.title, world.size, processors.count)
    batch = plan.recipe.batchSize
    seconds = reports.reduce(0) { $0 + $1.seconds } / Double(rounds)
    tokens = Double(reports.reduce(0) { $0 + $1.tokens }) / Double(rounds)
    let batches = plan.batches(seed: seed)
    let longest = timed.map { batches.lengths(ofStep: $0).max() ?? 0 }
    paddedTokens = Double(batch * longest.reduce(0, +)) / Double(rounds)
    examplesPerSecond = Double(batch) / seconds
    tokensPerSecond = tokens / seconds
    peakMemory = try world.sum([MachineSpeed.peakMemory])[0]
  }

  /// For the screen.
  package var table: String {
    """
    \(task), \(ranks) x \(lanes) lanes, \(batch) sequences of \(Int(tokens) / batch) tokens on average: \
    \(String(format: "%.1f", examplesPerSecond)) examples/s, \(Int(tokensPerSecond).grouped) tokens/s, \
    \(String(format: "%.1f", 1000 * seconds)) ms a step, \(peakMemory.bytes) of memory
    padded to the longest, batches would have \(String(format: "%.2f", paddedTokens / tokens)) times the \
    tokens
    a lane's step:
    \(times.lines)
    """
  }
}
