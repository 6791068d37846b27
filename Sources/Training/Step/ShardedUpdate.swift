import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// The moments of the parts that one rank owns, one part after the other in bucket order.
///
/// Matrices that Muon updates have no second moment.
struct Moments: Sendable {
  let first: Storage
  let second: Storage
  /// The matrices without second moments.
  let matrices: MatrixRanges
  /// This rank's part of each bucket, and its offsets in `first` and in `second`.
  private let parts: [(part: Range<Int>, first: Int, second: Int)]

  /// Allocates zeros for the parts of `rank`.
  init(_ partition: Partition, rank: Int, matrices: MatrixRanges) {
    var (firstCount, secondCount) = (0, 0)
    parts = partition.buckets.indices.map { bucket in
      let part = partition.part(bucket, of: rank)
      defer {
        firstCount += part.count
        secondCount += matrices.outsideCount(part)
      }
      return (part, firstCount, secondCount)
    }
    self.matrices = matrices
    first = Storage(count: firstCount)
    second = Storage(count: secondCount)
  }

  /// The offset of the part of `bucket` in `first`.
  func offset(of bucket: Int) -> Int { parts[bucket].first }

  /// The offset in `second` of `position`, which lies in the part of `bucket`.
  func secondOffset(of position: Int, in bucket: Int) -> Int {
    parts[bucket].second + matrices.outsideCount(parts[bucket].part.lowerBound..<position)
  }
}

/// Updates the weights: each rank updates the parts that it owns and sends them to all others.
///
///     try update.update(weights, gradient: gradient, step)
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
  /// The update of matrices; nil if Adam updates them too.
  let muon: MuonOptimizer?
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
  ///   - muon: the update of matrices; nil if `optimizer` updates them too.
  init(
    _ traffic: BucketTraffic, weightOrder: [Range<Int>], rank: Int, team: WorkerTeam,
    optimizer: AdamOptimizer, muon: MuonOptimizer? = nil
  ) {
    let buckets = traffic.partition.buckets
    self.traffic = traffic
    self.rank = rank
    self.team = team
    self.optimizer = optimizer
    self.muon = muon
    order = weightOrder.flatMap { range in
      buckets.indices.filter { range.contains(buckets[$0].lowerBound) }
    }
    moments = Moments(
      traffic.partition, rank: rank, matrices: MatrixRanges(muon?.plan.matrices ?? []))
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
  ///   - gradient: a vector in which this rank's parts hold the gradient of the whole batch; Muon
  ///     overwrites it.
  ///   - step: the learning rate, the factor of clipping and what is frozen.
  ///   - watch: called with the part of the step that begins.
  /// - Returns: the seconds in which this rank orthogonalised matrices; 0 without Muon.
  /// - Throws: an error of the communication of Muon.
  @discardableResult
  func update(
    _ weights: Storage, gradient: Storage, _ step: UpdateStep,
    watch: (String) -> Void = { _ in }
  ) throws -> Double {
    let seconds = try muon?.orthogonalize(gradient, moments, step, watch: watch) ?? 0
    let (partition, rank, muon) = (traffic.partition, rank, muon)
    traffic.forEachBucket("update", order, team) { [self] bucket, worker, workers in
      // The workers split this rank's part. Updates are elementwise, so the split changes no bits.
      let part = partition.part(bucket, of: rank)
      let share = ReductionTree.share(part, of: worker, of: workers)
      for range in moments.matrices.outside(share) {
        let moment = moments.offset(of: bucket) + range.lowerBound - part.lowerBound
        let second = moments.secondOffset(of: range.lowerBound, in: bucket)
        let state = AdamState(
          weights: weights.base + range.lowerBound, gradient: gradient.base + range.lowerBound,
          firstMoment: moments.first.base + moment, secondMoment: moments.second.base + second)
        optimizer.update(
          range, state, gradientScale: step.gradientScale, learningRate: step.learningRate,
          frozen: step.frozen)
      }
      muon?.update(share, weights, directions: gradient, step)
    } then: { [self] bucket in
      // Submitted also when this rank's part is empty or frozen: a gather is a collective call.
      let job = traffic.submit("gather", bucket) { [traffic] in
        try traffic.exchange.gather(bucket, weights.base)
      }
      gatherJobs.withLock { $0[bucket] = job }
    }
    return seconds
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
