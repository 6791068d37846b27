import Collectives
import Platform
import Synchronization
import Tensors

/// Sums the gradients of all workers of all ranks, and takes the norm of the sum.
///
///     reducer.begin(workers: 2)
///     ...                                        // workers call `register` and `finish`
///     let gradient = try reducer.finishSum()     // this rank's parts hold the sum
///     let squares = try reducer.squares(gradient)
///
/// A bucket is exchanged as soon as it is final on all workers, while they still compute the rest. Then
/// the communication thread merges it too: workers are busy, and it would only wait. Buckets of the
/// last region are final only when computing ends, so all workers merge those together. Either way
/// additions follow the tree, and the path does not show in the bits.
final class GradientReducer: Sendable {
  private let traffic: BucketTraffic
  private let merge: WorkerMerge
  private let team: WorkerTeam
  /// The floats of a gradient.
  private let count: Int
  /// The blocks that this rank owns.
  private let ownBlocks: [Int]
  /// A gradient for a rank that has no slice to sum into, made when it is first needed.
  private let spare = Mutex<Storage?>(nil)

  /// - Parameters:
  ///   - traffic: how buckets travel.
  ///   - finishing: ranges of the vector in the order in which gradients become final.
  ///   - world: all ranks; not used for communication.
  ///   - team: the workers of this rank.
  init(
    _ traffic: BucketTraffic, finishing: [Range<Int>], world: Communicator, team: WorkerTeam
  ) {
    let partition = traffic.partition
    self.traffic = traffic
    self.team = team
    count = partition.blockBoundaries.last ?? 0
    ownBlocks = partition.blocks(of: world.rank)
    // One rank alone has nothing to send, so it lets its workers merge all buckets at the end.
    let lastRegion = partition.buckets.firstIndex { finishing.last?.overlaps($0) == true }
    merge = WorkerMerge(
      buckets: partition.buckets, nodes: traffic.exchange.localPieces,
      earlyBuckets: world.size == 1 ? 0 : lastRegion ?? 0)
  }

  /// Starts a sum to which `workers` workers will contribute.
  func begin(workers: Int) { merge.begin(workers: workers) }

  /// Registers the pieces of a worker: sums that are final, and its last slice, which it computes next.
  func register(_ pieces: [Piece]) { merge.register(pieces) }

  /// Marks a range of a worker's gradient as final.
  ///
  /// Buckets that now are final on all workers begin to travel.
  func finish(_ range: Range<Int>) {
    merge.finish(range) { bucket, sums in
      let floats = traffic.partition.buckets[bucket]
      _ = traffic.submit("exchange", bucket) { [self] in
        for sum in sums { sum.add(floats) }
        try exchange(bucket, sums)
      }
    }
  }

  /// Adds what remains to be added, once all workers are through.
  ///
  /// - Returns: the vector in which this rank's parts hold the gradient of the whole batch.
  /// - Throws: an error of the communication.
  func finishSum() throws -> Storage {
    let (sums, first) = merge.rest()
    let buckets = traffic.partition.buckets
    traffic.forEachBucket("merge", first..<buckets.count, team) { bucket, worker, workers in
      let range = ReductionTree.share(buckets[bucket], of: worker, of: workers)
      for sum in sums { sum.add(range) }
    } then: { [self] bucket in
      _ = traffic.submit("exchange", bucket) { [self] in try exchange(bucket, sums) }
    }
    try traffic.wait()
    return output(of: sums)
  }

  private func exchange(_ bucket: Int, _ sums: [PieceSum]) throws {
    try traffic.exchange.exchange(
      bucket, pieces: sums.map(\.output.base), into: output(of: sums).base)
  }

  /// The sum of all ranks overwrites the first piece of this one, which nobody needs any more.
  private func output(of sums: [PieceSum]) -> Storage {
    if let first = sums.first { return first.output }
    return spare.withLock { spare in
      let storage = spare ?? Storage(count: count)
      spare = storage
      return storage
    }
  }

  /// The sum of squares of each block of the whole batch's gradient, on every rank.
  ///
  /// Blocks and not ranks' parts are summed first, so that the norm does not depend on who owns what.
  func squares(_ gradient: Storage) throws -> [Double] {
    let shares = Mutex([[Double]](repeating: [], count: team.count))
    let (blocks, boundaries) = (ownBlocks, traffic.partition.blockBoundaries)
    let workers = team.count
    team.run { worker in
      let share = ReductionTree.share(0..<blocks.count, of: worker, of: workers)
      let values = blocks[share].map {
        sumOfSquares(gradient.base + boundaries[$0], count: boundaries[$0 + 1] - boundaries[$0])
      }
      shares.withLock { $0[worker] = values }
    }
    return try traffic.exchange.gatherBlocks(shares.withLock { $0.flatMap(\.self) })
  }
}
