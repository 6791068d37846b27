import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// The communication thread of a rank: it moves buckets between ranks, one job after the other.
///
/// There is one thread and one communicator, because every rank must make the same collective calls
/// in the same order. While the queue is empty, the main thread may use `exchange` too.
final class BucketTraffic: Sendable {
  let tree: ReductionTree
  let partition: Partition
  let exchange: Exchange
  private let queue = SerialQueue()
  /// The timeline's name of each bucket: its number, the parameter that it begins in, and the
  /// format of its gradients if that is not float32.
  private let names: [String]
  private let seconds = Mutex(0.0)

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - partition: the buckets and their owners.
  ///   - tree: the slices of a step.
  ///   - format: how weights are sent.
  ///   - world: all ranks; the traffic has a duplicate.
  /// - Throws: an error of the communication.
  init(
    _ layout: ParameterLayout, _ partition: Partition, tree: ReductionTree,
    format: GatherFormat, world: Communicator
  ) throws {
    self.tree = tree
    self.partition = partition
    exchange = try Exchange(
      tree: tree, partition: partition, format: format, world: try world.duplicate())
    names = partition.buckets.enumerated().map { bucket, range in
      let first = layout.parameters.last { $0.offset <= range.lowerBound }
      let format = tree.roundingLevel == nil ? "" : ", bfloat16"
      return "bucket \(bucket) (\(first?.name ?? "")\(format))"
    }
  }

  /// Ends the thread after all submitted jobs, and frees the communicator.
  ///
  /// Every rank must call it.
  func end() {
    queue.end()
    exchange.free()
  }

  /// Submits a job that moves `bucket`, and returns the job's number.
  ///
  /// All ranks must submit the same jobs in the same order.
  func submit(
    _ action: String, _ bucket: Int, _ job: @escaping @Sendable () throws -> Void
  ) -> Int {
    let name = "\(action) \(names[bucket])"
    return queue.submit { [self] in
      let start = now()
      try Timeline.record(name, on: .communication, job)
      seconds.withLock { $0 += now() - start }
    }
  }

  /// Whether job `number` and all jobs before it are done.
  func isDone(_ number: Int) -> Bool { queue.isDone(number) }

  /// Waits until job `number` and all jobs before it are done; throws the first error of a job.
  func wait(for number: Int) throws { try queue.wait(for: number) }

  /// Waits for all submitted jobs.
  func wait() throws { try queue.wait() }

  /// Returns the seconds that jobs have taken since the last call.
  func takeSeconds() -> Double {
    seconds.withLock { seconds in
      defer { seconds = 0 }
      return seconds
    }
  }

  /// One worker's share of the work on a bucket.
  typealias BucketShare = @Sendable (_ bucket: Int, _ worker: Int, _ workers: Int) -> Void

  /// Runs `work` on all workers of `team`, bucket by bucket.
  ///
  /// - Parameters:
  ///   - action: the timeline's name of the work.
  ///   - buckets: the buckets, in the order in which to work on them.
  ///   - team: the workers; `work` gets the worker's number and their count.
  ///   - work: one worker's share of a bucket.
  ///   - onComplete: called once per bucket, in the order of `buckets`, by the last worker that
  ///     finishes its share, under a lock.
  func forEachBucket(
    _ action: String, _ buckets: some Collection<Int>, _ team: WorkerTeam,
    _ work: @escaping BucketShare,
    then onComplete: @escaping @Sendable (_ bucket: Int) -> Void
  ) {
    let (order, workers, names) = (Array(buckets), team.count, names)
    let remaining = Mutex([Int](repeating: workers, count: order.count))
    team.run { worker in
      for (index, bucket) in order.enumerated() {
        Timeline.record("\(action) \(names[bucket])", on: .worker(worker)) {
          work(bucket, worker, workers)
        }
        // Counting and submitting are one critical section. With the call outside the lock, a
        // worker that completes a bucket could be overtaken by one that completes the next bucket,
        // and this rank would submit its jobs in another order than the other ranks: a deadlock.
        remaining.withLock {
          $0[index] -= 1
          if $0[index] == 0 { onComplete(bucket) }
        }
      }
    }
  }
}
