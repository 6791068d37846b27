import Collectives
import Foundation
import Layers
import Platform
import Tensors

/// Trains an objective on any number of ranks and workers, with bits that do not depend on either.
///
/// A step loads the slices, sums their counts, computes gradients, adds them along the
/// `ReductionTree`, clips them by the global norm, updates the weights and gathers them. All ranks
/// do the same.
///
/// Bits do not depend on ranks and workers because every value that crosses slices is either an
/// integer or added in an order that the slices alone determine. Keep it so when adding a value to
/// a step.
package final class Trainer<O: TrainingObjective> {
  package let objective: O
  package let settings: TrainerSettings
  package let world: Communicator
  /// The flat vector of weights, equal on every rank as far as ranks compute with them.
  ///
  /// Matrices may differ between ranks in the bits that bfloat16 drops (see `format`). After a step
  /// they are still being gathered: call `waitForWeights` before reading them.
  package var weights: Storage { modelWeights.vector }
  let modelWeights: Weights
  /// The parts of the flat vector that each rank owns.
  package let partition: Partition
  /// How weights are sent.
  ///
  /// Those that it rounds are equal on all ranks only after rounding: the owner of a part has them
  /// in float32 (`gatherInFloat32`).
  let format: GatherFormat
  let traffic: BucketTraffic
  let reducer: GradientReducer
  let update: ShardedUpdate
  let team: WorkerTeam
  let saver: CheckpointSaver
  let workers: [Worker<O>]
  /// An evaluator that shares the trainer's weights, threads and activations.
  ///
  /// Call `waitForWeights` before using it, and do not use it during a step.
  package let evaluator: Evaluator<O>
  private let source: BatchSource
  /// The sums for the next line of metrics.
  var window = MetricsWindow()
  /// Called on the main thread at the start of each part of a step or of an evaluation.
  package var watch: (_ section: Watchdog.Section, _ part: String) -> Void = { _, _ in } {
    didSet { evaluator.watch = watch }
  }
  /// Called on a worker's thread after each slice of a step or of an evaluation.
  package var onSlice: @Sendable () -> Void = {} {
    didSet { evaluator.onSlice = onSlice }
  }
  /// Called on a worker's thread when a wait for weights begins (true) and ends (false).
  package var onWait: @Sendable (_ begins: Bool) -> Void {
    get { update.onWait }
    set { update.onWait = newValue }
  }

  /// Allocates weights, moments and activations, and starts the threads.
  ///
  /// Every rank must call it. Weights and moments are zero afterwards.
  ///
  /// - Parameters:
  ///   - objective: the training objective.
  ///   - settings: batch, schedule and optimizer; equal on all ranks.
  ///   - world: all ranks.
  ///   - processors: one worker for each; a negative number leaves a worker unpinned.
  ///   - ranksPerHost: how many ranks add their gradients before others; by default those of a
  ///     host, see `Communicator.ranksPerHost`.
  ///   - source: reads the training slices.
  /// - Throws: an error of the communication.
  package init(
    objective: O, settings: TrainerSettings, world: Communicator, processors: [Int],
    ranksPerHost: Int? = nil, source: @escaping BatchSource
  ) throws {
    precondition(settings.batchSize % settings.sliceCount == 0, "slices do not divide the batch")
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: processors.count)
    self.objective = objective
    self.settings = settings
    self.world = world
    self.source = source
    modelWeights = Weights(
      Storage(count: objective.layout.count), arithmetic: objective.arithmetic)
    team = WorkerTeam(processors: processors)
    let tree = settings.tree
    let slices = tree.slices(of: world.rank, of: world.size)
    let sequences = max(settings.batchSize / settings.sliceCount, Evaluator<O>.sliceSequences)
    workers = processors.indices.map {
      Worker(
        number: $0, tree: tree, slices: ReductionTree.share(slices, of: $0, of: processors.count),
        sequences: sequences, objective: objective)
    }
    evaluator = Evaluator(
      objective, weights: modelWeights, world: world, team: team,
      workspaces: workers.map(\.workspace))
    partition = Partition(
      objective.layout, regions: objective.gradientOrder, rankCount: world.size,
      ranksPerHost: try ranksPerHost ?? world.ranksPerHost())
    format = settings.gatherFormat(objective.layout, objective.arithmetic)
    traffic = try BucketTraffic(
      objective.layout, partition, tree: tree, format: format, world: world)
    reducer = GradientReducer(
      traffic, gradientOrder: objective.gradientOrder, world: world, team: team)
    update = ShardedUpdate(
      traffic, weightOrder: objective.weightOrder, rank: world.rank, team: team,
      optimizer: AdamOptimizer(
        settings.adam, layout: objective.layout,
        learningRateFactors: objective.learningRateFactors),
      muon: settings.muon.map { [team, partition] in
        MuonOptimizer($0, objective, partition: partition, world: world, team: team)
      })
    saver = try CheckpointSaver(
      layout: objective.layout, matrices: settings.matrices(of: objective.layout),
      partition: partition, moments: update.moments, world: world)
  }

  /// Waits until the weights of the last step have arrived; throws an error of the communication.
  package func waitForWeights() throws {
    try update.waitForWeights()
    modelWeights.markChanged()
  }

  /// Waits for the weights of the last step, and makes them equal in float32 on every rank.
  ///
  /// Every rank must call it.
  package func gatherInFloat32() throws {
    try waitForWeights()
    if format.isFloat32 { return }
    for bucket in partition.buckets.indices {
      try traffic.exchange.gather(bucket, weights.base, inFloat32: true)
    }
  }

  /// Waits for weights and for a running save, ends the threads and frees the communicators.
  ///
  /// Every rank must call it. The trainer must not be used afterwards.
  package func end() {
    traffic.end()
    saver.end()
    team.end()
  }

  /// Computes one step.
  ///
  /// Every rank must call it with the same step. Weights are still being gathered when it returns.
  ///
  /// - Parameters:
  ///   - step: the step, counted from zero.
  ///   - requests: this rank's requests for the end of the step.
  /// - Returns: the measurements of this rank and the requests of all ranks.
  /// - Throws: `TrainerError.diverged` on every rank, before the update, if the gradient is not
  ///   finite; any rank's input error; an error of the communication.
  package func step(_ step: Int, requests: StepRequests = StepRequests()) throws -> StepReport {
    let start = now()
    var report = StepReport()
    if let prepare = objective.prepareWeights(before: step) {
      try gatherInFloat32()
      prepare(weights)
    }
    // Weights of the last update may still arrive: a worker waits for a matrix before it packs it.
    modelWeights.markChanged()
    watch(.step, "input")
    let totals = try load(step, requests, &report)
    let (workers, objective, modelWeights) = (workers, objective, modelWeights)
    let (reducer, update, onSlice) = (reducer, update, onSlice)
    watch(.step, "computation")
    // A worker without slices never registers, and must not be waited for.
    reducer.begin(workers: workers.count { !$0.slices.isEmpty })
    team.run {
      workers[$0].compute(
        objective, totals: totals, weights: modelWeights, reducer: reducer, update: update,
        onSlice: onSlice)
    }
    let computed = now()
    watch(.step, "reduction")
    let gradient = try reducer.finishSum()
    report.gradientNorm = try norm(gradient, step: step, totals: totals)
    window.add(workers.flatMap(\.tallies), gradientNorm: report.gradientNorm)
    // The norm is finite here, so clipping multiplies by a number in (0, 1].
    report.learningRate = settings.schedule.learningRate(at: step)
    let updateStep = UpdateStep(
      gradientScale: Float(settings.clipNorm / max(settings.clipNorm, report.gradientNorm)),
      learningRate: Float(report.learningRate), frozen: objective.frozen(at: step))
    let products = try update.update(weights, gradient: gradient, updateStep) { watch(.step, $0) }
    let waited = workers.map(\.waitedSeconds).max() ?? 0
    report.reductionSeconds += now() - computed - products + waited
    report.trafficSeconds = traffic.takeSeconds()
    report.seconds = now() - start
    return report
  }

  /// Reads this rank's slices, and sums the objective's counts over all ranks.
  ///
  /// One sum carries everything that the ranks exchange before a step: whether one failed, their
  /// requests, the tokens and the counts. The counts are the denominators of the losses.
  private func load(
    _ step: Int, _ requests: StepRequests, _ report: inout StepReport
  ) throws -> [Int] {
    let (workers, objective, settings, source) = (workers, objective, settings, source)
    let start = now()
    team.run { workers[$0].load(objective, step: step, settings: settings, source: source) }
    let failure = workers.compactMap(\.failure).first
    let counts = workers.dropFirst().reduce(into: workers[0].counts) { sums, worker in
      for (i, count) in worker.counts.enumerated() { sums[i] += count }
    }
    let tokens = workers.flatMap(\.batches).reduce(0) { $0 + $1.tokenCount }
    watch(.step, "meeting")
    report.inputSeconds = now() - start
    let flags = [failure != nil, requests.stop, requests.save].map { $0 ? 1 : 0 }
    let all = try world.sum(flags + [tokens] + counts)
    report.reductionSeconds = now() - start - report.inputSeconds
    // Errors are rare and need a second exchange, so it happens only if some rank has one.
    if all[0] > 0 { try world.report(failure) }
    report.requests = StepRequests(stop: all[1] > 0, save: all[2] > 0)
    report.tokens = all[3]
    return Array(all[4...])
  }

  /// The global norm of the gradient; throws `diverged` if it is not finite.
  private func norm(_ gradient: Storage, step: Int, totals: [Int]) throws -> Double {
    let squares = try reducer.squares(gradient)
    let norm = squares.reduce(0, +).squareRoot()
    guard norm.isFinite else {
      let boundaries = partition.blockBoundaries
      let block = squares.firstIndex { !$0.isFinite } ?? 0
      let name = objective.layout.parameters.last { $0.offset <= boundaries[block] }?.name
      throw TrainerError.diverged(try divergence(step: step, tensor: name ?? "", totals: totals))
    }
    return norm
  }

  /// The metrics of all steps since the last call, equal on every rank.
  ///
  /// The last value is the mean of the gradient norms. Every rank must call it.
  package func metrics() throws -> MetricValues {
    defer { window = MetricsWindow() }
    return try window.metrics(objective, world)
  }

  /// Waits for the weights, and computes metrics of sequences 0..<`count` of `source`.
  ///
  /// Every rank must call it. Parameters and errors are those of `Evaluator.tally`.
  package func evaluate(
    sequences count: Int, shouldStop: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> MetricValues {
    try waitForWeights()
    return try evaluator.metrics(sequences: count, shouldStop: shouldStop, source: source)
  }
}
