import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// Muon on the hidden matrices of a model; see `MuonHyperparameters`.
///
///     try muon.orthogonalize(gradient, moments, step)   // the gradient becomes the direction
///     muon.update(range, weights, gradient, step)       // the owners of the parts
///
/// Products are in float32 in any arithmetic. A matrix is orthogonalised by one worker of one rank
/// (`MatrixPlan`), and everything else is elementwise, so the bits depend on neither ranks nor
/// workers. They depend on the processor type and OpenBLAS, in bfloat16 too.
final class MuonOptimizer: Sendable {
  let plan: MatrixPlan
  private let ranges: MatrixRanges
  private let hyperparameters: MuonHyperparameters
  /// The factor of the learning rate of each matrix.
  private let learningRateFactors: [Float]
  private let partition: Partition
  private let rank: Int
  private let team: WorkerTeam
  private let exchange: SegmentExchange
  /// Temporary memory of each worker.
  private let scratch: [Storage]

  /// - Parameters:
  ///   - hyperparameters: for all matrices.
  ///   - objective: has the layout and the factors of learning rates.
  ///   - partition: the parts of the vector that each rank owns.
  ///   - world: all ranks; used on the main thread only.
  ///   - team: the workers of this rank.
  init(
    _ hyperparameters: MuonHyperparameters, _ objective: some TrainingObjective,
    partition: Partition, world: Communicator, team: WorkerTeam
  ) {
    let layout = objective.layout
    let plan = MatrixPlan(layout.hiddenMatrices, partition)
    self.plan = plan
    self.hyperparameters = hyperparameters
    self.partition = partition
    self.team = team
    rank = world.rank
    ranges = MatrixRanges(plan.matrices)
    let offsets = Set(plan.matrices.map(\.offset))
    learningRateFactors = zip(layout.parameters, objective.learningRateFactors)
      .filter { offsets.contains($0.0.offset) }.map { $0.1 }
    exchange = SegmentExchange(plan.segments(of: world.rank), world: world)
    scratch = (0..<team.count).map { _ in Storage(count: plan.scratchCount) }
  }

  /// The operations of this rank's products in a step, if no matrix is frozen.
  var operations: Double {
    plan.matrices(of: rank).reduce(0) { $0 + $1.orthogonalization }
  }

  /// Updates the moments of this rank's parts, and replaces their gradients by the parts of the
  /// orthogonalised matrices.
  ///
  /// Every rank must call it, while the communication thread is idle. The matrices that this rank
  /// orthogonalises are gathered in `gradient`, whose floats outside of its parts are overwritten.
  ///
  /// - Parameters:
  ///   - gradient: the vector in which this rank's parts hold the gradient of the whole batch.
  ///   - moments: this rank's moments.
  ///   - step: the factor of clipping and what is frozen.
  ///   - watch: called with the part of the step that begins.
  /// - Returns: the seconds in which this rank computed.
  /// - Throws: an error of the communication.
  func orthogonalize(
    _ gradient: Storage, _ moments: Moments, _ step: UpdateStep, watch: (String) -> Void
  ) throws -> Double {
    updateMoments(moments, gradient, step)
    try exchange.send(gradient)
    watch("orthogonalization")
    let start = now()
    orthogonalizeMatrices(in: gradient, step)
    let seconds = now() - start
    watch("reduction")
    try exchange.sendBack(gradient)
    return seconds
  }

  /// Updates the moments of this rank's parts, and replaces their gradients by Nesterov's averages.
  private func updateMoments(_ moments: Moments, _ gradient: Storage, _ step: UpdateStep) {
    let workers = team.count
    team.run { [self] worker in
      for bucket in partition.buckets.indices {
        let part = partition.part(bucket, of: rank)
        let share = ReductionTree.share(part, of: worker, of: workers)
        for range in ranges.inside(share) where !step.isFrozen(range.lowerBound) {
          muonMomentum(
            gradient.base + range.lowerBound,
            moment: moments.first.base + moments.offset(of: bucket) + range.lowerBound
              - part.lowerBound,
            count: range.count, gradientScale: step.gradientScale)
        }
      }
    }
  }

  /// Orthogonalises this rank's matrices; a worker that has finished one takes the next.
  private func orthogonalizeMatrices(in gradient: Storage, _ step: UpdateStep) {
    let matrices = plan.matrices(of: rank)
    let next = Atomic(0)
    team.run { [self] worker in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < matrices.count else { return }
        if step.isFrozen(matrices[index].offset) { continue }
        Timeline.record("orthogonalize \(matrices[index].name)", on: .worker(worker)) {
          NewtonSchulz.orthogonalize(gradient[matrices[index]], scratch: scratch[worker].base)
        }
      }
    }
  }

  /// Updates the weights of the matrices in `range` of the flat vector.
  ///
  /// `directions` is the vector that `orthogonalize` has changed. Disjoint ranges may be updated at
  /// the same time.
  func update(
    _ range: Range<Int>, _ weights: Storage, directions: Storage, _ step: UpdateStep
  ) {
    let matrices = plan.matrices
    let first = firstPosition(in: matrices.count) {
      matrices[$0].range.upperBound > range.lowerBound
    }
    for index in matrices.indices[first...] {
      let matrix = matrices[index]
      if matrix.offset >= range.upperBound { return }
      if step.isFrozen(matrix.offset) { continue }
      let part = matrix.range.clamped(to: range)
      let rate = step.learningRate * hyperparameters.learningRateFactor * learningRateFactors[index]
      let size = Float(max(matrix.rows, matrix.columns)).squareRoot()
      muonStep(
        weights.base + part.lowerBound, direction: directions.base + part.lowerBound,
        count: part.count, scale: rate * 0.2 * size, decay: rate * hyperparameters.weightDecay)
    }
  }
}

extension Trainer {
  /// The operations of this rank's products of Muon in a step without frozen matrices.
  package var orthogonalizationOperations: Double { update.muon?.operations ?? 0 }
}
