import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// Sum, norm, update and gathering of a step by themselves, in two ways: ours, and the plain one, which
/// adds gradients by `MPI_Allreduce` and updates all weights on every rank.
///
/// It is there for benchmarks.
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
  /// The moments of the plain way: all of them.
  private let moments: (first: Storage, second: Storage)

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - regions: ranges of the vector in the order in which their gradients become final.
  ///   - sliceCount: the slices of a step; a power of two.
  ///   - world: all ranks.
  ///   - processors: one worker for each.
  /// - Throws: an error of the communication.
  package init(
    layout: ParameterLayout, regions: [Range<Int>], sliceCount: Int, world: Communicator,
    processors: [Int]
  ) throws {
    self.layout = layout
    self.world = world
    team = WorkerTeam(processors: processors)
    optimizer = AdamOptimizer(
      AdamHyperparameters(weightDecay: 0.01), layout: layout,
      rateFactors: Array(repeating: 1, count: layout.parameters.count))
    traffic = try BucketTraffic(
      layout, Partition(layout, regions: regions, rankCount: world.size),
      tree: ReductionTree(sliceCount: sliceCount), world: world)
    reducer = GradientReducer(traffic, finishing: regions, world: world, team: team)
    update = ShardedUpdate(
      traffic, reading: regions, rank: world.rank, team: team, optimizer: optimizer)
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

  /// Fills all gradients with numbers that stay finite when they are added.
  package func refill() {
    for gradient in gradients { Tensor(gradient).fill(1e-6 * Float(world.rank + 1)) }
  }

  /// Exchange, norm, update and gathering.
  ///
  /// Every rank must call it.
  package func ours() throws {
    let pieces = zip(traffic.exchange.localPieces, gradients).map { (node: $0, gradient: $1) }
    reducer.begin(workers: 1)
    reducer.register(pieces)
    let gradient = try reducer.finishSum()
    let norm = try reducer.squares(gradient).reduce(0, +).squareRoot()
    update.update(
      weights, gradient: gradient, gradientScale: Float(1 / max(1, norm)), learningRate: 1e-6)
    try update.waitForWeights()
  }

  /// All-reduce bucket by bucket, norm and update of everything.
  ///
  /// Every rank must call it.
  package func plain() throws {
    guard let gradient = gradients.first else { return }
    for start in stride(from: 0, to: layout.count, by: Partition.bucketSize) {
      try world.sumInPlace(
        gradient.base + start, count: min(Partition.bucketSize, layout.count - start))
    }
    let (count, workers) = (layout.count, team.count)
    let sums = Mutex([Double](repeating: 0, count: workers))
    team.run { worker in
      let own = ReductionTree.share(0..<count, of: worker, of: workers)
      let sum = sumOfSquares(gradient.base + own.lowerBound, count: own.count)
      sums.withLock { $0[worker] = sum }
    }
    let norm = sums.withLock { $0.reduce(0, +) }.squareRoot()
    let (optimizer, weights, moments) = (optimizer, weights, moments)
    team.run { worker in
      let own = ReductionTree.share(0..<count, of: worker, of: workers)
      let state = AdamState(
        weights: weights.base, gradient: gradient.base, firstMoment: moments.first.base,
        secondMoment: moments.second.base
      ).advanced(by: own.lowerBound)
      optimizer.update(
        own, state, gradientScale: Float(1 / max(1, norm)), learningRate: 1e-6)
    }
  }
}

extension Tensor {
  /// All of a storage, as one row.
  fileprivate init(_ storage: Storage) {
    self = storage[0..<storage.count]
  }
}
