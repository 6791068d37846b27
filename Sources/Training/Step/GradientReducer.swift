import Collectives
import Platform
import Synchronization
import Tensors

/// Sums the gradients of all workers of all ranks, and computes the norm of the sum.
///
///     reducer.begin(workers: 2)
///     ...                                        // workers call `register` and `finish`
///     let gradient = try reducer.finishSum()     // this rank's parts hold the sum
///     let squares = try reducer.squares(gradient)
///
/// A bucket goes through two additions: a merge over the workers of a rank, then an exchange over
/// ranks. There are two paths:
/// - A bucket that becomes final during computation is merged by the communication thread. The
///   workers are busy, and the thread would otherwise idle until the bucket can be sent.
/// - The buckets of the last region become final only when computation ends. All workers merge them
///   together, each a share of the floats, and hand each bucket to the communication thread.
///
/// Both paths add every float along the same `SumPlan`, so the result has the same bits.
///
/// Invariant: every rank submits one exchange per bucket, in the order of the buckets. Early
/// buckets are submitted in order by `WorkerMerge`, the others in order by `forEachBucket`. The
/// number of early buckets may differ between ranks (a rank without slices has none); the order
/// does not.
final class GradientReducer: Sendable {
  private let traffic: BucketTraffic
  private let merge: WorkerMerge
  private let team: WorkerTeam
  /// The floats of a gradient.
  private let count: Int
  /// The blocks that this rank owns.
  private let ownedBlocks: [Int]
  /// The output of a rank without slices, allocated on first use.
  private let spare = Mutex<Storage?>(nil)

  /// - Parameters:
  ///   - traffic: the communication thread of this rank.
  ///   - gradientOrder: ranges of the vector in the order in which their gradients become final.
  ///   - world: all ranks; used for its size and rank only, not for communication.
  ///   - team: the workers of this rank.
  init(
    _ traffic: BucketTraffic, gradientOrder: [Range<Int>], world: Communicator, team: WorkerTeam
  ) {
    let partition = traffic.partition
    self.traffic = traffic
    self.team = team
    count = partition.blockBoundaries.last ?? 0
    ownedBlocks = partition.blocks(of: world.rank)
    // A single rank has nothing to send, so there is no communication to overlap with computation.
    // Its workers merge all buckets at the end.
    let lastRegion = partition.buckets.firstIndex { gradientOrder.last?.overlaps($0) == true }
    merge = WorkerMerge(
      traffic.tree, buckets: partition.buckets, nodes: traffic.exchange.localPieces,
      earlyBuckets: world.size == 1 ? 0 : lastRegion ?? 0)
  }

  /// Starts a sum to which `workers` workers will contribute.
  func begin(workers: Int) { merge.begin(workers: workers) }

  /// Registers the pieces of a worker: sums that are final, and its last slice, which it computes
  /// next.
  func register(_ pieces: [Piece]) { merge.register(pieces) }

  /// Marks a range of a worker's gradient as final.
  ///
  /// Submits the exchange of every early bucket that is now final on all workers.
  func finish(_ range: Range<Int>) {
    merge.finish(range) { bucket, sums in
      let floats = traffic.partition.buckets[bucket]
      _ = traffic.submit("exchange", bucket) { [self] in
        for sum in sums { sum.add(floats) }
        try exchange(bucket, sums)
      }
    }
  }

  /// Merges and exchanges the remaining buckets, after all workers have finished computing.
  ///
  /// - Returns: the vector in which this rank's parts hold the gradient of the whole batch; its
  ///   other floats are undefined.
  /// - Throws: an error of the communication.
  func finishSum() throws -> Storage {
    let (sums, first) = merge.remainder()
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

  /// The vector that receives the sum over all ranks: this rank's first piece.
  ///
  /// The exchange writes this rank's part of a bucket after it has added all pieces of that part,
  /// and nothing reads the piece afterwards. So the sum needs no memory of its own.
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
  /// Each block is summed by the rank that owns it, and the caller adds the blocks in the order of
  /// the vector. A sum per rank would change the norm's bits with the number of ranks.
  ///
  /// - Parameter gradient: the result of `finishSum`.
  /// - Returns: one number per block, in the order of the vector; not finite where the block is
  ///   not.
  /// - Throws: an error of the communication.
  func squares(_ gradient: Storage) throws -> [Double] {
    let shares = Mutex([[Double]](repeating: [], count: team.count))
    let (blocks, boundaries) = (ownedBlocks, traffic.partition.blockBoundaries)
    let workers = team.count
    team.run { worker in
      let share = ReductionTree.share(0..<blocks.count, of: worker, of: workers)
      let values = blocks[share].map {
        sumOfSquares(gradient.base + boundaries[$0], count: boundaries[$0 + 1] - boundaries[$0])
      }
      shares.withLock { $0[worker] = values }
    }
    // `finishSum` has emptied the queue, so the main thread may use the exchange's communicator.
    return try traffic.exchange.gatherBlocks(shares.withLock { $0.flatMap(\.self) })
  }
}
