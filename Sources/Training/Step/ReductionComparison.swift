import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// A benchmark of the sum, norm, update and gather of a step, without its computation.
///
/// It runs them in two ways: sharded, as the trainer does, and replicated, with `MPI_Allreduce` and
/// an update of all weights on every rank.
package final class ReductionComparison {
  private let layout: ParameterLayout
  private let world: Communicator
  private let team: WorkerTeam
  private let traffic: BucketTraffic
  private let reducer: GradientReducer
  private let update: ShardedUpdate
  private let optimizer: AdamOptimizer
  private let weights: Storage
  private let gradients: [Storage]
  /// The moments of all weights, for the replicated update.
  private let moments: (first: Storage, second: Storage)

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - regions: ranges of the vector in the order in which their gradients become final.
  ///   - arithmetic: of matrix products, which decides how weights are sent.
  ///   - settings: the slices of a step, and how gradients are sent.
  ///   - world: all ranks.
  ///   - processors: one worker for each.
  /// - Throws: an error of the communication.
  package init(
    layout: ParameterLayout, regions: [Range<Int>], arithmetic: Arithmetic,
    settings: TrainerSettings, world: Communicator, processors: [Int]
  ) throws {
    self.layout = layout
    self.world = world
    team = WorkerTeam(processors: processors)
    optimizer = AdamOptimizer(
      AdamHyperparameters(weightDecay: 0.01), layout: layout,
      learningRateFactors: Array(repeating: 1, count: layout.parameters.count))
    let partition = Partition(
      layout, regions: regions, rankCount: world.size, ranksPerHost: try world.ranksPerHost())
    traffic = try BucketTraffic(
      layout, partition, tree: settings.tree, format: settings.gatherFormat(layout, arithmetic),
      world: world)
    reducer = GradientReducer(traffic, gradientOrder: regions, world: world, team: team)
    update = ShardedUpdate(
      traffic, weightOrder: regions, rank: world.rank, team: team, optimizer: optimizer)
    weights = Storage(count: layout.count)
    gradients = traffic.exchange.localPieces.map { _ in Storage(count: layout.count) }
    moments = (Storage(count: layout.count), Storage(count: layout.count))
  }

  /// Ends the threads and frees the communicator.
  ///
  /// Every rank must call it.
  package func end() {
    traffic.end()
    team.end()
  }

  /// Fills all gradients with small values, whose repeated sums stay finite.
  package func refill() {
    for gradient in gradients { Tensor(gradient).fill(1e-6 * Float(world.rank + 1)) }
  }

  /// Exchanges gradients, computes the norm, updates this rank's parts and gathers the weights.
  ///
  /// Every rank must call it.
  package func sharded() throws {
    let pieces = zip(traffic.exchange.localPieces, gradients).map { (node: $0, gradient: $1) }
    reducer.begin(workers: 1)
    reducer.register(pieces)
    let gradient = try reducer.finishSum()
    let norm = try reducer.squares(gradient).reduce(0, +).squareRoot()
    try update.update(
      weights, gradient: gradient,
      UpdateStep(gradientScale: Float(1 / max(1, norm)), learningRate: 1e-6))
    try update.waitForWeights()
  }

  /// All-reduces gradients bucket by bucket, computes the norm and updates all weights.
  ///
  /// Every rank must call it.
  package func replicated() throws {
    guard let gradient = gradients.first else { return }
    for start in stride(from: 0, to: layout.count, by: Partition.bucketSize) {
      try world.sumInPlace(
        gradient.base + start, count: min(Partition.bucketSize, layout.count - start))
    }
    let (count, workers) = (layout.count, team.count)
    let sums = Mutex([Double](repeating: 0, count: workers))
    team.run { worker in
      let share = ReductionTree.share(0..<count, of: worker, of: workers)
      let sum = sumOfSquares(gradient.base + share.lowerBound, count: share.count)
      sums.withLock { $0[worker] = sum }
    }
    let norm = sums.withLock { $0.reduce(0, +) }.squareRoot()
    let (optimizer, weights, moments) = (optimizer, weights, moments)
    team.run { worker in
      let share = ReductionTree.share(0..<count, of: worker, of: workers)
      let state = AdamState(
        weights: weights.base, gradient: gradient.base, firstMoment: moments.first.base,
        secondMoment: moments.second.base
      ).advanced(by: share.lowerBound)
      optimizer.update(
        share, state, gradientScale: Float(1 / max(1, norm)), learningRate: 1e-6)
    }
  }
}

extension Tensor {
  /// Makes a tensor of one row from all floats of a storage.
  fileprivate init(_ storage: Storage) {
    self = storage[0..<storage.count]
  }
}
