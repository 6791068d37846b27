import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// Adam's moments of the parts that one rank owns, one part after the other in bucket order.
struct Moments: Sendable {
  let first: Storage
  let second: Storage
  /// The offset of each bucket's part.
  private let offsets: [Int]

  /// Allocates zeros for the parts of `rank`.
  init(_ partition: Partition, rank: Int) {
    var (offsets, count) = ([Int](), 0)
    for bucket in partition.buckets.indices {
      offsets.append(count)
      count += partition.part(bucket, of: rank).count
    }
    self.offsets = offsets
    first = Storage(count: count)
    second = Storage(count: count)
  }

  /// The offset of the part of `bucket` in `first` and in `second`.
  func offset(of bucket: Int) -> Int { offsets[bucket] }
}

/// Updates the weights: each rank updates the parts that it owns and sends them to all others.
///
///     try update.update(weights, gradient: gradient, gradientScale: scale, learningRate: rate)
///     try update.waitForWeights(in: range)       // before a worker reads these weights
///
/// The moments exist once over all ranks (ZeRO stage 1, Rajbhandari et al. 2020). New weights are
/// gathered while the next step reads its input and computes. Buckets are gathered in the order in
/// which the next step reads them, and a worker waits only for the range that it reads next.
///
/// Invariant: until `await` or `waitForWeights` returns, a range of the weights may hold old
/// values, new values, or a mixture. Nothing else protects the weights.
final class ShardedUpdate: Sendable {
  let moments: Moments
  private let traffic: BucketTraffic
  private let rank: Int
  private let team: WorkerTeam
  private let optimizer: AdamOptimizer
  /// The buckets in the order in which the next step reads their weights.
  private let order: [Int]
  /// The number of the last job that gathered each bucket; 0 before the first update.
  ///
  /// Job numbers start at 1, so that a wait for job 0 returns at once.
  private let gatherJobs: Mutex<[Int]>
  private let waitHandler = Mutex<@Sendable (_ begins: Bool) -> Void>({ _ in })

  /// - Parameters:
  ///   - traffic: the communication thread of this rank.
  ///   - weightOrder: ranges of the vector in the order in which weights are first read.
  ///   - rank: this rank's number.
  ///   - team: the workers of this rank.
  ///   - optimizer: the update of a range.
  init(
    _ traffic: BucketTraffic, weightOrder: [Range<Int>], rank: Int, team: WorkerTeam,
    optimizer: AdamOptimizer
  ) {
    let buckets = traffic.partition.buckets
    self.traffic = traffic
    self.rank = rank
    self.team = team
    self.optimizer = optimizer
    order = weightOrder.flatMap { range in
      buckets.indices.filter { range.contains(buckets[$0].lowerBound) }
    }
    moments = Moments(traffic.partition, rank: rank)
    gatherJobs = Mutex(Array(repeating: 0, count: buckets.count))
  }

  /// Called on a worker's thread when a wait for weights begins (true) and ends (false).
  var onWait: @Sendable (_ begins: Bool) -> Void {
    get { waitHandler.withLock { $0 } }
    set { waitHandler.withLock { $0 = newValue } }
  }

  /// Updates this rank's parts of `weights`, and starts to gather all parts.
  ///
  /// The gradient is not read any more when this returns; weights are still being sent and
  /// received.
  ///
  /// - Parameters:
  ///   - weights: the flat vector; `await` waits for a range of it.
  ///   - gradient: a vector in which this rank's parts hold the gradient of the whole batch.
  ///   - gradientScale: the factor of gradient clipping.
  ///   - learningRate: the step's learning rate.
  ///   - frozen: ranges of whole parameters that are not updated.
  func update(
    _ weights: Storage, gradient: Storage, gradientScale: Float, learningRate: Float,
    frozen: [Range<Int>] = []
  ) {
    let (optimizer, moments, partition, rank) = (optimizer, moments, traffic.partition, rank)
    traffic.forEachBucket("update", order, team) { bucket, worker, workers in
      // The workers split this rank's part. Adam is elementwise, so the split changes no bits.
      let part = partition.part(bucket, of: rank)
      let range = ReductionTree.share(part, of: worker, of: workers)
      let moment = moments.offset(of: bucket) + range.lowerBound - part.lowerBound
      let state = AdamState(
        weights: weights.base + range.lowerBound, gradient: gradient.base + range.lowerBound,
        firstMoment: moments.first.base + moment, secondMoment: moments.second.base + moment)
      optimizer.update(
        range, state, gradientScale: gradientScale, learningRate: learningRate, frozen: frozen)
    } then: { [self] bucket in
      // Submitted also when this rank's part is empty or frozen: a gather is a collective call.
      let job = traffic.submit("gather", bucket) { [traffic] in
        try traffic.exchange.gather(bucket, weights.base)
      }
      gatherJobs.withLock { $0[bucket] = job }
    }
  }

  /// Waits until the weights of `range` are those of the last update.
  ///
  /// Throws the first error of the communication.
  func waitForWeights(in range: Range<Int>) throws {
    let buckets = traffic.partition.buckets
    // Jobs end in the order of their numbers, so the latest of the range's buckets is enough.
    let job = gatherJobs.withLock { jobs in
      buckets.indices.reduce(0) { buckets[$1].overlaps(range) ? max($0, jobs[$1]) : $0 }
    }
    let onWait = traffic.isDone(job) ? nil : onWait
    onWait?(true)
    try traffic.wait(for: job)
    onWait?(false)
  }

  /// Waits until all weights are those of the last update.
  func waitForWeights() throws { try traffic.wait() }
}
