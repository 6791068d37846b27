import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Runs
import Tensors
import Training

/// The speed of fine-tuning steps over all ranks.
///
/// Sequence lengths differ between batches, so the figures are means over all timed steps.
package struct FinetuneMeasurement: Encodable {
  let task: String
  let ranks: Int
  /// Worker threads of rank 0.
  let workers: Int
  /// Sequences per step, over all ranks.
  let batch: Int
  let arithmetic: Arithmetic
  /// Mean seconds and tokens per step.
  let seconds: Double
  let tokens: Double
  /// Mean tokens per step if sequences were padded to the longest of their batch.
  let paddedTokens: Double
  let examplesPerSecond: Double
  let tokensPerSecond: Double
  /// Peak resident memory, summed over ranks, in bytes.
  let peakMemory: Int
  /// Times of one worker of rank 0 in one step.
  let times: ActivityTimes

  private enum CodingKeys: String, CodingKey {
    case task, ranks, batch, arithmetic, seconds, tokens
    case workers = "lanes"
    case paddedTokens = "padded_tokens"
    case examplesPerSecond = "examples_per_second"
    case tokensPerSecond = "tokens_per_second"
    case peakMemory = "peak_memory_bytes"
    case times = "milliseconds"
  }

  /// Runs `rounds` timed steps of `plan`; every rank must call it.
  package init(_ plan: FinetuningPlan, world: Communicator, processors: [Int], rounds: Int) throws {
    let seed = plan.recipe.seed
    let trainer = try plan.trainer(seed: seed, world: world, processors: processors)
    defer { trainer.end() }
    try plan.initialize(trainer.weights, seed: seed, world: world)
    try trainer.shareWeights()
    let steps = try TimedSteps(trainer, rounds: rounds)
    let reports = steps.reports
    times = ActivityTimes(steps.activities, steps.profiled, workers: processors.count)

    (task, ranks, workers) = (plan.task.title, world.size, processors.count)
    (batch, arithmetic) = (plan.recipe.batchSize, plan.recipe.arithmetic)
    seconds = reports.reduce(0) { $0 + $1.seconds } / Double(rounds)
    tokens = Double(reports.reduce(0) { $0 + $1.tokens }) / Double(rounds)
    let batches = plan.batches(seed: seed)
    let longest = steps.numbers.map { batches.lengths(ofStep: $0).max() ?? 0 }
    paddedTokens = Double(batch * longest.reduce(0, +)) / Double(rounds)
    examplesPerSecond = Double(batch) / seconds
    tokensPerSecond = tokens / seconds
    peakMemory = try world.sum([MachineSpeed.peakMemory])[0]
  }

  /// The measurement as text for people.
  package var table: String {
    """
    \(task), \(ranks) x \(workers) threads, \(batch) sequences of \(Int(tokens) / batch) tokens \
    on average, \
    \(arithmetic.rawValue): \
    \(String(format: "%.1f", examplesPerSecond)) examples/s, \
    \(Int(tokensPerSecond).grouped) tokens/s, \
    \(String(format: "%.1f", 1000 * seconds)) ms per step, \(peakMemory.bytes) of memory
    padding to the longest sequence would multiply the tokens by \
    \(String(format: "%.2f", paddedTokens / tokens))
    one worker's step:
    \(times.lines)
    """
  }
}
