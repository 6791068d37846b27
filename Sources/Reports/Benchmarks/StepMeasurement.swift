import Collectives
import Electra
import Foundation
import Layers
import Platform
import Runs
import Tensors
import Tokenization
import Training

/// The speed of pre-training steps of one configuration, over all ranks.
package struct StepMeasurement: Encodable {
  /// The work of the step and its median time; the time of reduction is the mean over ranks.
  let step: ScalingPoint
  /// FLOP/s of all workers of all ranks in large products; nil if not measured.
  let peak: Double?
  let shareOfPeak: Double?
  /// Peak resident memory, summed over ranks, in bytes.
  let peakMemory: Int
  /// The median share of a step that rank 0 spends on its input.
  let inputShare: Double
  /// Median seconds per step in which buckets are exchanged.
  let trafficSeconds: Double
  /// FLOPs of rank 0's matrix products in a step: counted, and computed from the configuration.
  let operations: Double
  let expectedOperations: Double
  /// Times of one worker of rank 0 in a step.
  let times: ActivityTimes

  private enum CodingKeys: String, CodingKey {
    case peak, operations
    case times = "milliseconds"
    case tokensPerSecond = "tokens_per_second"
    case shareOfPeak = "share_of_peak"
    case peakMemory = "peak_memory_bytes"
    case inputShare = "input_share"
    case trafficSeconds = "traffic_seconds"
    case expectedOperations = "expected_operations"
  }

  package func encode(to encoder: any Encoder) throws {
    try step.encode(to: encoder)
    var figures = encoder.container(keyedBy: CodingKeys.self)
    try figures.encode(step.tokensPerSecond, forKey: .tokensPerSecond)
    try figures.encodeIfPresent(peak, forKey: .peak)
    try figures.encodeIfPresent(shareOfPeak, forKey: .shareOfPeak)
    try figures.encode(peakMemory, forKey: .peakMemory)
    try figures.encode(inputShare, forKey: .inputShare)
    try figures.encode(trafficSeconds, forKey: .trafficSeconds)
    try figures.encode(operations, forKey: .operations)
    try figures.encode(expectedOperations, forKey: .expectedOperations)
    try figures.encode(times, forKey: .times)
  }

  /// Runs two untimed steps, `rounds` timed ones and one that times activities, on random tokens.
  ///
  /// Every rank must call it.
  package init(
    _ configuration: PretrainingConfiguration, recomputes: Bool, world: Communicator,
    processors: [Int], rounds: Int, measuresPeak: Bool
  ) throws {
    let recipe = configuration.recipe
    let trainer = try Self.trainer(
      configuration, recomputes: recomputes, world: world, processors: processors)
    defer { trainer.end() }
    trainer.objective.layout.initialize(trainer.weights, seed: recipe.seed)
    let steps = try TimedSteps(trainer, rounds: rounds)
    let reports = steps.reports

    let waited = try world.gather([reports.map(\.reductionSeconds).median]).map { $0[0] }
    var step = try Self.point(
      configuration, trainer, workers: processors.count)
    (step.seconds, step.reductionSeconds) = (reports.map(\.seconds).median, waited.mean)
    self.step = step
    inputShare = reports.map { $0.inputSeconds / $0.seconds }.median
    trafficSeconds = reports.map(\.trafficSeconds).median
    peakMemory = try world.sum([MachineSpeed.peakMemory])[0]
    peak = try measuresPeak ? Self.peak(processors, configuration.arithmetic, world) : nil
    let flopsPerSecond = configuration.productsPerToken * step.tokensPerSecond
    shareOfPeak = peak.map { flopsPerSecond / $0 }
    operations = steps.activities.values.reduce(0) { $0 + $1.operations }
    let slices = ReductionTree(sliceCount: recipe.slices).slices(of: world.rank, of: world.size)
    expectedOperations =
      configuration.passProductsPerToken * Double(recipe.batchSize * recipe.length)
      * Double(slices.count) / Double(recipe.slices) + trainer.orthogonalizationOperations
    times = ActivityTimes(steps.activities, steps.profiled, workers: processors.count)
  }

  /// FLOP/s of all workers of all ranks together in products of 4096 x 4096 matrices.
  private static func peak(
    _ processors: [Int], _ arithmetic: Arithmetic, _ world: Communicator
  ) throws -> Double {
    MatrixLibrary.reserveBuffers(callers: processors.count)
    let team = WorkerTeam(processors: processors)
    defer { team.end() }
    let ofRank = Int(MachineSpeed.flopsPerSecond(team: team, size: 4096, arithmetic))
    return Double(try world.sum([ofRank])[0])
  }

  /// The work of a step, as far as its time depends on it; the times are not set.
  private static func point(
    _ configuration: PretrainingConfiguration, _ trainer: Trainer<PretrainingObjective>,
    workers: Int
  ) throws -> ScalingPoint {
    let (model, recipe) = (trainer.objective.model, configuration.recipe)
    let (world, partition) = (trainer.world, trainer.partition)
    let settings = trainer.settings
    let slices = (0..<world.size).map { settings.tree.slices(of: $0, of: world.size).count }
    let estimate = ResourceEstimate(
      layout: model.layout, arithmetic: configuration.arithmetic, partition: partition,
      settings: settings, workers: workers, activations: 0)
    var point = ScalingPoint()
    (point.ranks, point.workers) = (world.size, workers)
    point.hosts = Set(try world.gather(Array(hostName().utf8))).count
    point.workersPerCore = try threadsPerCore(world, threads: workers)
    (point.batch, point.length) = (recipe.batchSize, recipe.length)
    point.rankTokens = (slices.max() ?? 0) * recipe.batchSize / recipe.slices * recipe.length
    point.microBatchTokens = recipe.microBatchTokens
    point.arithmetic = configuration.arithmetic
    point.vectorBytes = MemoryLayout<Float>.stride * model.layout.count
    point.communicatedBytes = settings.communicatedBytes(model.layout, configuration.arithmetic)
    point.buckets = partition.buckets.count
    point.hideableShare = 1 - Double(model.embeddingRange.count) / Double(model.layout.count)
    (point.sentBytes, point.messages) = (estimate.sent, estimate.messages)
    return point
  }

  private static func trainer(
    _ configuration: PretrainingConfiguration, recomputes: Bool, world: Communicator,
    processors: [Int]
  ) throws -> Trainer<PretrainingObjective> {
    let recipe = configuration.recipe
    let special = SpecialTokens(
      padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)
    var objective = configuration.objective(model: configuration.makeModel(), special: special)
    objective.recomputes = recomputes
    if recipe.task.generator != .transformer {
      objective.sampler = TokenSampler(
        counts: Array(repeating: 1, count: configuration.model.vocabularySize))
    }
    return try Trainer(
      objective: objective, settings: configuration.trainerSettings,
      world: world, processors: processors,
      source: { step, sequences in
        var batch = Batch(step: step, firstSequence: sequences.lowerBound)
        for sequence in sequences {
          let stream = RandomStream(
            seed: recipe.seed, site: RandomStream.site("benchmark"), step: step,
            sequence: sequence)
          let inner = (0..<max(0, recipe.length - 2)).map {
            Int32(5 + stream.number(below: configuration.model.vocabularySize - 5, index: $0))
          }
          let tokens = [special.classification] + inner + [special.separator]
          batch.append(tokens: tokens, segmentIDs: repeatElement(0, count: tokens.count))
        }
        return batch
      })
  }

  /// The measurement as text for people.
  package var table: String {
    var parts = [
      "\(Int(step.tokensPerSecond).grouped) tokens/s",
      String(format: "%.1f ms per step", 1000 * step.seconds),
    ]
    if let peak, let shareOfPeak {
      parts.append(
        String(format: "%.1f %% of a peak of %.1f GFLOP/s", 100 * shareOfPeak, peak / 1e9))
    }
    return """
      \(step.ranks) x \(step.workers) threads, \(step.batch) x \(step.length), \
      \(step.arithmetic.rawValue): \
      \(parts.joined(separator: ", ")), \(peakMemory.bytes) of memory
      \(String(format: "%.1f", 1000 * trafficSeconds)) ms of communication between ranks, \
      \(String(format: "%.1f", 1000 * step.reductionSeconds)) ms in which workers reduced or waited
      one worker's step:
      \(times.lines)
      """
  }
}
