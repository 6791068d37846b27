import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// Turns the workers' gradients into the new weights: merge, exchange, norm, update, gather.
///
/// A bucket travels as soon as it is final on all workers, while they are still computing the rest: the
/// communication thread merges and exchanges it. What is final only when computing ends is merged by
/// all workers together. New weights are gathered while the next step reads and computes; whoever needs
/// a range waits for it. The moments exist once over all ranks: each rank keeps those of the parts that
/// it owns.
///
/// Unchecked: workers only call `register`, `finish` and `await`, which are made for that; all else is the
/// main thread's.
final class GradientReducer: @unchecked Sendable {
  let exchange: Exchange
  /// The moments of this rank's parts, bucket by bucket.
  let firstMoment: Storage
  let secondMoment: Storage
  private let layout: ParameterLayout
  private let rank: Int
  private let team: WorkerTeam
  private let optimizer: AdamOptimizer
  private let communication = SerialQueue()
  /// Where each bucket's owned part begins in the moments.
  private let momentOffsets: [Int]
  private let ownBlocks: [Int]
  /// What the timeline calls each bucket: its number and the part of the model that it begins with.
  private let bucketNames: [String]
  /// The buckets in the order in which the next step reads their weights.
  private let readingOrder: [Int]
  /// Buckets before this one may travel while workers compute: those of the last region are final only
  /// at the end, and one rank alone has nothing to send.
  private let earlyBuckets: Int
  /// A gradient for a rank that has no slice to sum into.
  private var spare: Storage?
  private let sum = Mutex(Sum())
  /// The communication thread's job that gathers each bucket.
  private let gatherJobs: Mutex<[Int]>
  private let traffic = Mutex(0.0)
  /// Told on a worker's thread when it begins, and ends, to wait for weights.
  var onWait: @Sendable (_ begins: Bool) -> Void = { _ in }

  /// A sum of gradients that is under way.
  private struct Sum {
    /// What the workers hold, as far as they have said so.
    var pieces: [Piece] = []
    var workersToCome = 0
    /// The floats of each bucket that workers have yet to finish.
    var unfinished: [Int] = []
    /// The first bucket that has not been handed to the communication thread.
    var next = 0
    var merges: [Merge] = []
  }

  /// - Parameters:
  ///   - finishing: ranges of the vector in the order in which gradients become final.
  ///   - reading: ranges of the vector in the order in which weights are first read.
  init(
    layout: ParameterLayout, finishing: [Range<Int>], reading: [Range<Int>], tree: ReductionTree,
    world: Communicator, team: WorkerTeam, optimizer: AdamOptimizer
  ) throws {
    let partition = Partition(
      regions: finishing, blockBoundaries: layout.blockBoundaries, rankCount: world.size)
    self.layout = layout
    self.team = team
    self.optimizer = optimizer
    rank = world.rank
    exchange = Exchange(tree: tree, partition: partition, world: try world.duplicate())
    let buckets = partition.buckets
    readingOrder = reading.flatMap { range in
      buckets.indices.filter { range.contains(buckets[$0].lowerBound) }
    }
    earlyBuckets =
      world.size == 1
      ? 0 : buckets.indices.first { finishing.last?.overlaps(buckets[$0]) == true } ?? 0
    let counts = buckets.indices.map { partition.part($0, of: world.rank).count }
    momentOffsets = counts.indices.map { counts[..<$0].reduce(0, +) }
    ownBlocks = partition.blocks(of: world.rank)
    bucketNames = buckets.indices.map { bucket in
      let first = layout.parameters.last { $0.offset <= buckets[bucket].lowerBound }
      return "bucket \(bucket) (\(first?.name ?? ""))"
    }
    firstMoment = Storage(count: partition.ownedCount(of: world.rank))
    secondMoment = Storage(count: partition.ownedCount(of: world.rank))
    gatherJobs = Mutex(Array(repeating: 0, count: buckets.count))
  }

  private var partition: Partition { exchange.partition }

  /// A sum begins, of which so many workers will bring pieces.
  func begin(workers: Int) {
    let unfinished = partition.buckets.map { $0.count * workers }
    sum.withLock { $0 = Sum(workersToCome: workers, unfinished: unfinished) }
    if workers == 0 { prepareMerges() }
  }

  /// A worker says what it holds: sums that are final, and its last slice, which it will now compute.
  func register(_ pieces: [Piece]) {
    let isLast = sum.withLock {
      $0.pieces += pieces
      $0.workersToCome -= 1
      return $0.workersToCome == 0
    }
    if isLast { prepareMerges() }
  }

  /// A worker says that a range of its gradient is final. Buckets that now are so on all workers begin to
  /// travel, in their order.
  func finish(_ range: Range<Int>) {
    sum.withLock { sum in
      for (bucket, own) in partition.buckets.enumerated() where own.overlaps(range) {
        sum.unfinished[bucket] -= own.clamped(to: range).count
      }
      while sum.next < earlyBuckets, !sum.merges.isEmpty, sum.unfinished[sum.next] == 0 {
        let (bucket, merges) = (sum.next, Shared(sum.merges))
        let range = partition.buckets[bucket]
        sum.next += 1
        submit("exchange", bucket) {
          for merge in merges.value { merge.add(range) }
          try self.exchange(bucket, merges.value)
        }
      }
    }
  }

  /// Adds the pieces of all workers of all ranks, when all workers have finished; returns the vector in
  /// which this rank's parts hold the gradient of the whole batch.
  func finishSum() throws -> Storage {
    let (merges, first) = sum.withLock { ($0.merges, $0.next) }
    if merges.isEmpty && spare == nil { spare = Storage(count: layout.count) }
    try forEachBucket("merge", first..<partition.buckets.count) { bucket, worker, workers in
      let range = ReductionTree.share(self.partition.buckets[bucket], of: worker, of: workers)
      for merge in merges { merge.add(range) }
    } then: { bucket in
      self.submit("exchange", bucket) { try self.exchange(bucket, merges) }
    }
    try communication.wait()
    guard let result = merges.first?.output ?? spare else { preconditionFailure("no gradient") }
    return result
  }

  private func exchange(_ bucket: Int, _ merges: [Merge]) throws {
    guard let result = merges.first?.output ?? spare else { preconditionFailure("no gradient") }
    try exchange.exchange(bucket, own: merges.map(\.output.base), into: result.base)
  }

  /// How this rank's pieces come from those of its workers.
  private func prepareMerges() {
    sum.withLock { sum in
      let nodes = sum.pieces.map(\.node)
      sum.merges = exchange.ownPieces.map { node in
        guard let plan = SumPlan(node, from: nodes),
          let first = nodes.firstIndex(where: { $0.slices.lowerBound == node.slices.lowerBound })
        else { preconditionFailure("the workers' pieces do not make up the rank's") }
        return Merge(plan: plan, pieces: sum.pieces, output: sum.pieces[first].gradient)
      }
    }
  }

  /// The sum of squares of each block of the whole batch's gradient, on every rank.
  func squares(_ gradient: Storage) throws -> [Double] {
    let shares = Mutex([[Double]](repeating: [], count: team.count))
    let (blocks, boundaries, workers) = (ownBlocks, partition.blockBoundaries, team.count)
    team.run { worker in
      let own = ReductionTree.share(0..<blocks.count, of: worker, of: workers)
      let values = blocks[own].map {
        sumOfSquares(gradient.base + boundaries[$0], count: boundaries[$0 + 1] - boundaries[$0])
      }
      shares.withLock { $0[worker] = values }
    }
    return try exchange.gatherBlocks(shares.withLock { $0.flatMap(\.self) })
  }

  /// Updates this rank's parts of `weights`, and begins to fetch all others': `await` tells when a
  /// range is there.
  ///
  /// - Parameter frozen: ranges of whole parameters that stay as they are.
  func update(
    _ weights: Storage, gradient: Storage, gradientScale: Float, rate: Float,
    frozen: [Range<Int>] = []
  ) throws {
    let optimizer = optimizer
    let (first, second, offsets) = (firstMoment, secondMoment, momentOffsets)
    let (partition, rank) = (partition, rank)
    try forEachBucket("update", readingOrder) { bucket, worker, workers in
      let part = partition.part(bucket, of: rank)
      let range = ReductionTree.share(part, of: worker, of: workers)
      let moment = offsets[bucket] + range.lowerBound - part.lowerBound
      optimizer.update(
        range, weights: weights.base, gradient: gradient.base, firstMoment: first.base + moment,
        secondMoment: second.base + moment, gradientScale: gradientScale, rate: rate,
        frozen: frozen)
    } then: { bucket in
      let job = self.submit("gather", bucket) { try self.exchange.gather(bucket, weights.base) }
      self.gatherJobs.withLock { $0[bucket] = job }
    }
  }

  /// Waits until the weights of `range` are those of the last update.
  func await(_ range: Range<Int>) throws {
    let buckets = partition.buckets
    let job = gatherJobs.withLock { jobs in
      buckets.indices.reduce(0) { buckets[$1].overlaps(range) ? max($0, jobs[$1]) : $0 }
    }
    let waits = !communication.isDone(job)
    if waits { onWait(true) }
    try communication.wait(for: job)
    if waits { onWait(false) }
  }

  /// Waits for everything that travels.
  func settle() throws { try communication.wait() }

  /// Where the moments of `bucket` begin in this rank's moments.
  func momentOffset(_ bucket: Int) -> Int { momentOffsets[bucket] }

  /// Runs `work` on all workers bucket by bucket; the last worker that is through with a bucket calls
  /// `then`. All ranks must hand their buckets on in the same order, so that happens under the lock.
  private func forEachBucket(
    _ name: String, _ buckets: some Collection<Int>,
    _ work: @escaping (_ bucket: Int, _ worker: Int, _ workers: Int) -> Void,
    then handOn: @escaping (_ bucket: Int) -> Void
  ) throws {
    let workers = team.count
    let order = Array(buckets)
    let body = Shared((work: work, handOn: handOn))
    let remaining = Mutex([Int](repeating: workers, count: order.count))
    let bucketNames = bucketNames
    team.run { worker in
      for (place, bucket) in order.enumerated() {
        Timeline.record("\(name) \(bucketNames[bucket])", on: .lane(worker)) {
          body.value.work(bucket, worker, workers)
        }
        remaining.withLock {
          $0[place] -= 1
          if $0[place] == 0 { body.value.handOn(bucket) }
        }
      }
    }
  }

  /// Hands a job of `bucket` to the communication thread; returns its number.
  @discardableResult
  private func submit(
    _ name: String, _ bucket: Int, _ job: @escaping () throws -> Void
  ) -> Int {
    let job = Shared(job)
    return communication.submit {
      let start = now()
      try Timeline.record("\(name) \(self.bucketNames[bucket])", on: .communication) {
        try job.value()
      }
      self.traffic.withLock { $0 += now() - start }
    }
  }

  /// Seconds that buckets have travelled since this was last asked.
  func takeTrafficSeconds() -> Double {
    traffic.withLock { seconds in
      defer { seconds = 0 }
      return seconds
    }
  }
}

/// A sum of gradients of a run of slices.
package typealias Piece = (node: ReductionTree.Node, gradient: Storage)

/// How one piece of a rank comes from the pieces of its workers.
private struct Merge {
  let plan: SumPlan
  let pieces: [Piece]
  /// One of `pieces`.
  let output: Storage

  func add(_ range: Range<Int>) {
    plan.add(
      pieces.map { $0.gradient.base + range.lowerBound }, count: range.count,
      into: output.base + range.lowerBound)
  }
}

/// Carries closures to the workers and the communication thread of the same call.
///
/// Unchecked: workers work on disjoint ranges, and a bucket's job begins when all workers have left it.
private final class Shared<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
