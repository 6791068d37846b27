import Collectives
import Foundation
import Layers
import Platform
import Tensors

/// Trains any objective on any number of ranks and workers, with the same bits whatever their number.
///
/// A step is a straight line: load the slices, count, compute gradients, add them along the tree,
/// clip by the global norm, update, hand out. Rank zero is not special here.
package final class Trainer<O: TrainingObjective> {
  package let objective: O
  package let settings: TrainerSettings
  package let world: Communicator
  /// The flat vector of weights, the same on every rank.
  ///
  /// After a step they are still arriving: call `waitForWeights` before reading them.
  package let weights: Storage
  /// Who owns which part of the flat vector.
  package let partition: Partition
  let traffic: BucketTraffic
  let reducer: GradientReducer
  let update: ShardedUpdate
  let team: WorkerTeam
  let saver: CheckpointSaver
  let workers: [Worker<O>]
  /// Shares weights, threads and activations with the trainer; to be used once weights have arrived
  /// (`waitForWeights`), and not during a step.
  package let evaluator: Evaluator<O>
  private let source: BatchSource
  /// The sums behind the next line of metrics.
  var window = MetricsWindow()
  /// Told of each part of a step, or of an evaluation, as it begins.
  package var watch: (_ section: Watchdog.Section, _ part: String) -> Void = { _, _ in } {
    didSet { evaluator.watch = watch }
  }
  /// Told on a worker's thread when it begins, and ends, to wait for weights that travel.
  package var onWait: @Sendable (_ begins: Bool) -> Void {
    get { update.onWait }
    set { update.onWait = newValue }
  }

  /// - Parameters:
  ///   - objective: what is trained.
  ///   - settings: batch, schedule and optimizer.
  ///   - world: all ranks; each must make a trainer.
  ///   - processors: one worker for each; a negative number leaves a worker free to move.
  ///   - source: where training slices come from.
  /// - Throws: an error of the communication.
  package init(
    objective: O, settings: TrainerSettings, world: Communicator, processors: [Int],
    source: @escaping BatchSource
  ) throws {
    precondition(settings.batchSize % settings.sliceCount == 0, "slices do not divide the batch")
    MatrixLibrary.useOneThread()
    MatrixLibrary.reserveBuffers(callers: processors.count)
    self.objective = objective
    self.settings = settings
    self.world = world
    self.source = source
    weights = Storage(count: objective.layout.count)
    team = WorkerTeam(processors: processors)
    let tree = ReductionTree(sliceCount: settings.sliceCount)
    let run = tree.run(of: world.rank, of: world.size)
    let sequences = max(settings.batchSize / settings.sliceCount, Evaluator<O>.sliceSequences)
    workers = processors.indices.map {
      Worker(
        number: $0, slices: ReductionTree.share(run, of: $0, of: processors.count),
        sequences: sequences, objective: objective)
    }
    evaluator = Evaluator(
      objective, weights: weights, world: world, team: team, workspaces: workers.map(\.workspace))
    partition = Partition(
      objective.layout, regions: objective.gradientOrder, rankCount: world.size)
    traffic = try BucketTraffic(objective.layout, partition, tree: tree, world: world)
    reducer = GradientReducer(
      traffic, finishing: objective.gradientOrder, world: world, team: team)
    update = ShardedUpdate(
      traffic, reading: objective.weightOrder, rank: world.rank, team: team,
      optimizer: AdamOptimizer(
        settings.adam, layout: objective.layout, rateFactors: objective.rateFactors))
    saver = try CheckpointSaver(
      layout: objective.layout, partition: partition, moments: update.moments, world: world)
  }

  /// Waits until the weights of the last step are there.
  package func waitForWeights() throws { try update.waitForWeights() }

  /// Ends the threads and frees the communicators, once weights have arrived and a save that is under
  /// way has ended.
  ///
  /// Every rank must call it; the trainer must not be used afterwards.
  package func end() {
    traffic.end()
    saver.end()
    team.end()
  }

  /// What a step has to say.
  package struct StepReport {
    package var tokens = 0
    package var gradientNorm = 0.0
    package var learningRate = 0.0
    /// Seconds in all; those of them that this rank's input took; and those in which it met the others,
    /// waited for them and their weights, and reduced.
    package var seconds = 0.0
    package var inputSeconds = 0.0
    package var reductionSeconds = 0.0
    /// Seconds that buckets travelled, mostly while workers computed.
    package var trafficSeconds = 0.0
    /// Whether any rank asked to stop, or to save.
    package var requests = StopRequests()
  }

  /// What a rank wants after the step; one rank's wish is enough, so that all do it at one step.
  package struct StopRequests: Sendable, Equatable {
    package var stop = false
    package var save = false

    package init(stop: Bool = false, save: Bool = false) {
      self.stop = stop
      self.save = save
    }
  }

  /// Does step `step`, counted from zero.
  ///
  /// - Parameter requests: this rank's wishes for what follows the step.
  /// - Throws: `TrainerError.diverged` on every rank, before the update, when the gradient is not
  ///   finite; any rank's input error.
  package func step(_ step: Int, requests: StopRequests = StopRequests()) throws -> StepReport {
    let start = now()
    var report = StepReport()
    if let prepare = objective.prepareWeights(before: step) {
      try waitForWeights()
      prepare(weights)
    }
    watch(.step, "input")
    let totals = try load(step, requests, &report)
    let (workers, objective, weights) = (workers, objective, weights)
    let (reducer, update) = (reducer, update)
    watch(.step, "computation")
    reducer.begin(workers: workers.count { !$0.slices.isEmpty })
    team.run {
      workers[$0].compute(
        objective, totals: totals, weights: weights, reducer: reducer, update: update)
    }
    let computed = now()
    watch(.step, "reduction")
    let gradient = try reducer.finishSum()
    report.gradientNorm = try norm(gradient, step: step, totals: totals)
    window.add(workers.flatMap(\.tallies), gradientNorm: report.gradientNorm)
    report.learningRate = settings.schedule.learningRate(at: step)
    update.update(
      weights, gradient: gradient,
      gradientScale: Float(settings.clipNorm / max(settings.clipNorm, report.gradientNorm)),
      learningRate: Float(report.learningRate), frozen: objective.frozen(at: step))
    report.reductionSeconds += now() - computed + (workers.map(\.waitedSeconds).max() ?? 0)
    report.trafficSeconds = traffic.takeSeconds()
    report.seconds = now() - start
    return report
  }

  /// Reads all slices and counts what their losses weigh, over all ranks.
  private func load(
    _ step: Int, _ requests: StopRequests, _ report: inout StepReport
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
    if all[0] > 0 { try world.report(failure) }
    report.requests = StopRequests(stop: all[1] > 0, save: all[2] > 0)
    report.tokens = all[3]
    return Array(all[4...])
  }

  /// The global norm of the gradient.
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

  /// The metrics of all steps since the last call, the same on every rank: means, and as the last one
  /// the mean of the gradients' norms.
  ///
  /// Every rank must call it.
  package func metrics() throws -> MetricValues {
    defer { window = MetricsWindow() }
    return try window.metrics(objective, world)
  }

  /// The metrics of sequences 0..<`count` of `source`, once the weights of the last step are there
  /// (`Evaluator.metrics`). Every rank must call it.
  package func evaluate(
    sequences count: Int, isAsked: () -> Bool = { false }, source: @escaping BatchSource
  ) throws -> MetricValues {
    try waitForWeights()
    return try evaluator.metrics(sequences: count, isAsked: isAsked, source: source)
  }
}

/// What stops a training run.
package enum TrainerError: Error, Equatable, CustomStringConvertible {
  /// The gradient is not finite.
  case diverged(Divergence)
  /// A rank's weights are not those of rank zero.
  case replicasDiffer(step: Int, rank: Int, tensor: String)
  /// A rank was asked to stop during an evaluation.
  case stopped

  package var description: String {
    switch self {
    case .diverged(let divergence): divergence.description
    case .replicasDiffer(let step, let rank, let tensor):
      "after step \(step), \(tensor) on rank \(rank) is not what it is on rank 0: a fault of memory "
        + "or processor on one of their hosts; nothing was saved; start again without that host"
    case .stopped: "stopped as asked; the same command goes on"
    }
  }
}
