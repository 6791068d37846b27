import Collectives
import Layers
import Synchronization
import Tensors

/// Turns the lanes' gradients into the new weights: merge, exchange, norm, update, gather.
///
/// Lanes merge and update by range, each its share of every bucket; the communication thread
/// exchanges one bucket while lanes merge the next, and gathers one while they update the next. The
/// moments exist once over all ranks: each rank keeps those of the parts that it owns.
final class GradientReducer {
  let exchange: Exchange
  /// The moments of this rank's parts, bucket by bucket.
  let firstMoment: Storage
  let secondMoment: Storage
  private let layout: ParameterLayout
  private let rank: Int
  private let team: LaneTeam
  private let optimizer: AdamOptimizer
  private let communication = CommunicationThread()
  /// Where each bucket's owned part begins in the moments.
  private let momentOffsets: [Int]
  private let ownBlocks: [Int]
  /// A gradient for a rank that has no slice to sum into.
  private var spare: Storage?

  init(
    layout: ParameterLayout, regions: [Range<Int>], tree: ReductionTree, world: Communicator,
    team: LaneTeam, optimizer: AdamOptimizer
  ) throws {
    let partition = Partition(
      regions: regions, blockBoundaries: layout.blockBoundaries, rankCount: world.size)
    self.layout = layout
    self.team = team
    self.optimizer = optimizer
    rank = world.rank
    exchange = Exchange(tree: tree, partition: partition, world: try world.duplicate())
    let counts = partition.buckets.indices.map { partition.part($0, of: world.rank).count }
    momentOffsets = counts.indices.map { counts[..<$0].reduce(0, +) }
    ownBlocks = partition.blocks(of: world.rank)
    firstMoment = Storage(count: partition.ownedCount(of: world.rank))
    secondMoment = Storage(count: partition.ownedCount(of: world.rank))
  }

  private var partition: Partition { exchange.partition }

  /// Adds the pieces of all lanes of all ranks; returns the vector in which this rank's parts hold
  /// the gradient of the whole batch.
  func sum(_ pieces: [(node: ReductionTree.Node, gradient: Storage)]) throws -> Storage {
    let nodes = pieces.map(\.node)
    let pointers = pieces.map(\.gradient.base)
    let merges = exchange.ownPieces.map { node in
      guard let plan = SumPlan(node, from: nodes),
        let first = nodes.firstIndex(where: { $0.slices.lowerBound == node.slices.lowerBound })
      else { preconditionFailure("the lanes' pieces do not make up the rank's") }
      return (plan: plan, output: pieces[first].gradient)
    }
    if merges.isEmpty && spare == nil { spare = Storage(count: layout.count) }
    guard let result = merges.first?.output ?? spare else { preconditionFailure("no gradient") }
    try forEachBucket { bucket, lane, lanes in
      let range = ReductionTree.share(self.partition.buckets[bucket], of: lane, of: lanes)
      for merge in merges {
        merge.plan.add(
          pointers.map { $0 + range.lowerBound }, count: range.count,
          into: merge.output.base + range.lowerBound)
      }
    } then: { bucket in
      try self.exchange.exchange(bucket, own: merges.map(\.output.base), into: result.base)
    }
    return result
  }

  /// The sum of squares of each block of the whole batch's gradient, on every rank.
  func squares(_ gradient: Storage) throws -> [Double] {
    let shares = Mutex([[Double]](repeating: [], count: team.count))
    let (blocks, boundaries, lanes) = (ownBlocks, partition.blockBoundaries, team.count)
    team.run { lane in
      let own = ReductionTree.share(0..<blocks.count, of: lane, of: lanes)
      let values = blocks[own].map {
        sumOfSquares(gradient.base + boundaries[$0], count: boundaries[$0 + 1] - boundaries[$0])
      }
      shares.withLock { $0[lane] = values }
    }
    return try exchange.gatherBlocks(shares.withLock { $0.flatMap(\.self) })
  }

  /// Updates this rank's parts of `weights`, and fetches all others'.
  func update(_ weights: Storage, gradient: Storage, gradientScale: Float, rate: Float) throws {
    let optimizer = optimizer
    let (first, second, offsets) = (firstMoment, secondMoment, momentOffsets)
    let (partition, rank) = (partition, rank)
    try forEachBucket { bucket, lane, lanes in
      let part = partition.part(bucket, of: rank)
      let range = ReductionTree.share(part, of: lane, of: lanes)
      let moment = offsets[bucket] + range.lowerBound - part.lowerBound
      optimizer.update(
        range, weights: weights.base, gradient: gradient.base, firstMoment: first.base + moment,
        secondMoment: second.base + moment, gradientScale: gradientScale, rate: rate)
    } then: { bucket in
      try self.exchange.gather(bucket, weights.base)
    }
  }

  /// Where the moments of `bucket` begin in this rank's moments.
  func momentOffset(_ bucket: Int) -> Int { momentOffsets[bucket] }

  /// Runs `work` on all lanes bucket by bucket; when the last lane is through with a bucket, the
  /// communication thread does `job`. Returns when all jobs are done.
  private func forEachBucket(
    _ work: @escaping (_ bucket: Int, _ lane: Int, _ lanes: Int) -> Void,
    then job: @escaping (_ bucket: Int) throws -> Void
  ) throws {
    let lanes = team.count
    let count = partition.buckets.count
    let body = Shared((work: work, job: job))
    let remaining = Mutex([Int](repeating: lanes, count: count))
    let communication = communication
    team.run { lane in
      for bucket in 0..<count {
        body.value.work(bucket, lane, lanes)
        let isLast = remaining.withLock {
          $0[bucket] -= 1
          return $0[bucket] == 0
        }
        if isLast { _ = communication.submit { try body.value.job(bucket) } }
      }
    }
    try communication.wait()
  }
}

/// Carries closures to the lanes and the communication thread of the same call.
///
/// Unchecked: lanes work on disjoint ranges, and a bucket's job begins when all lanes have left it.
private final class Shared<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
