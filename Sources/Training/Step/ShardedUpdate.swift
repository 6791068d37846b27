import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// Adam's moments of the parts that one rank owns, bucket by bucket.
struct Moments: Sendable {
  let first: Storage
  let second: Storage
  /// Where each bucket's part begins.
  private let offsets: [Int]

  /// Zeros for the parts of `rank`.
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

  /// Where the part of `bucket` begins in both.
  func offset(of bucket: Int) -> Int { offsets[bucket] }
}

/// Updates the weights: every rank those of the parts that it owns, which then go to all.
///
///     try update.update(weights, gradient: gradient, gradientScale: scale, learningRate: rate)
///     try update.await(range)                    // before a worker reads these weights
///
/// The moments exist once over all ranks (ZeRO, Rajbhandari et al. 2020, stage 1). New weights travel
/// while the next step reads its input and computes: buckets go in the order in which the next step
/// reads them, and whoever needs a range waits for that range alone.
final class ShardedUpdate: Sendable {
  let moments: Moments
  private let traffic: BucketTraffic
  private let rank: Int
  private let team: WorkerTeam
  private let optimizer: AdamOptimizer
  /// The buckets in the order in which the next step reads their weights.
  private let order: [Int]
  /// The job that gathers each bucket.
  private let gatherJobs: Mutex<[Int]>
  private let waitHandler = Mutex<@Sendable (_ begins: Bool) -> Void>({ _ in })

  /// - Parameters:
  ///   - traffic: how buckets travel.
  ///   - reading: ranges of the vector in the order in which weights are first read.
  ///   - rank: this rank's number.
  ///   - team: the workers of this rank.
  ///   - optimizer: the update of a range.
  init(
    _ traffic: BucketTraffic, reading: [Range<Int>], rank: Int, team: WorkerTeam,
    optimizer: AdamOptimizer
  ) {
    let buckets = traffic.partition.buckets
    self.traffic = traffic
    self.rank = rank
    self.team = team
    self.optimizer = optimizer
    order = reading.flatMap { range in
      buckets.indices.filter { range.contains(buckets[$0].lowerBound) }
    }
    moments = Moments(traffic.partition, rank: rank)
    gatherJobs = Mutex(Array(repeating: 0, count: buckets.count))
  }

  /// Called on a worker's thread when it begins, and ends, to wait for weights.
  var onWait: @Sendable (_ begins: Bool) -> Void {
    get { waitHandler.withLock { $0 } }
    set { waitHandler.withLock { $0 = newValue } }
  }

  /// Updates this rank's parts of `weights`, and begins to fetch all others'.
  ///
  /// - Parameters:
  ///   - weights: the flat vector; `await` tells when a range of it has arrived.
  ///   - gradient: the vector whose parts of this rank hold the gradient of the whole batch.
  ///   - gradientScale: what clipping multiplies the gradient by.
  ///   - learningRate: the step's learning rate.
  ///   - frozen: ranges of whole parameters that stay as they are.
  func update(
    _ weights: Storage, gradient: Storage, gradientScale: Float, learningRate: Float,
    frozen: [Range<Int>] = []
  ) {
    let (optimizer, moments, partition, rank) = (optimizer, moments, traffic.partition, rank)
    traffic.forEachBucket("update", order, team) { bucket, worker, workers in
      let part = partition.part(bucket, of: rank)
      let range = ReductionTree.share(part, of: worker, of: workers)
      let moment = moments.offset(of: bucket) + range.lowerBound - part.lowerBound
      let state = AdamState(
        weights: weights.base + range.lowerBound, gradient: gradient.base + range.lowerBound,
        firstMoment: moments.first.base + moment, secondMoment: moments.second.base + moment)
      optimizer.update(
        range, state, gradientScale: gradientScale, learningRate: learningRate, frozen: frozen)
    } then: { [self] bucket in
      let job = traffic.submit("gather", bucket) { [traffic] in
        try traffic.exchange.gather(bucket, weights.base)
      }
      gatherJobs.withLock { $0[bucket] = job }
    }
  }

  /// Waits until the weights of `range` are those of the last update.
  func await(_ range: Range<Int>) throws {
    let buckets = traffic.partition.buckets
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
