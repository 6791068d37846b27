import Collectives
import Layers
import Platform
import Synchronization
import Tensors

/// The communication of a step: jobs that move buckets between ranks, one after the other on a thread of
/// their own.
///
/// There is one thread and one communicator, because every rank must make the same calls in the same
/// order; while the thread has nothing to do, the main thread may use `exchange` too.
final class BucketTraffic: Sendable {
  let partition: Partition
  let exchange: Exchange
  private let queue = SerialQueue()
  /// How the timeline calls each bucket: by its number and the part of the model that it begins with.
  private let names: [String]
  private let seconds = Mutex(0.0)

  init(
    _ layout: ParameterLayout, _ partition: Partition, tree: ReductionTree, world: Communicator
  ) throws {
    self.partition = partition
    exchange = Exchange(tree: tree, partition: partition, world: try world.duplicate())
    names = partition.buckets.enumerated().map { bucket, range in
      let first = layout.parameters.last { $0.offset <= range.lowerBound }
      return "bucket \(bucket) (\(first?.name ?? ""))"
    }
  }

  /// Ends the thread when all buckets have arrived, and frees the communicator.
  ///
  /// Every rank must call it.
  func end() {
    queue.end()
    exchange.free()
  }

  /// Adds a job that moves `bucket`; returns its number.
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

  /// Whether job `number` and all before it are done.
  func isDone(_ number: Int) -> Bool { queue.isDone(number) }

  /// Waits until job `number` and all before it are done; throws the error of the first that threw.
  func wait(for number: Int) throws { try queue.wait(for: number) }

  /// Waits for everything that is on its way.
  func wait() throws { try queue.wait() }

  /// Seconds that jobs have taken since this was last asked.
  func takeSeconds() -> Double {
    seconds.withLock { seconds in
      defer { seconds = 0 }
      return seconds
    }
  }

  /// Runs `work` on all workers of `team`, bucket by bucket.
  ///
  /// - Parameters:
  ///   - action: what the timeline calls the work.
  ///   - buckets: the buckets, in the order in which they are worked on.
  ///   - team: the workers; each gets its number, and how many they are.
  ///   - work: one worker's share of a bucket.
  ///   - handOn: called by the last worker that is through with a bucket, under a lock: all ranks must
  ///     hand their buckets on in one order.
  func forEachBucket(
    _ action: String, _ buckets: some Collection<Int>, _ team: WorkerTeam,
    _ work: @escaping @Sendable (_ bucket: Int, _ worker: Int, _ workers: Int) -> Void,
    then handOn: @escaping @Sendable (_ bucket: Int) -> Void
  ) {
    let (order, workers, names) = (Array(buckets), team.count, names)
    let remaining = Mutex([Int](repeating: workers, count: order.count))
    team.run { worker in
      for (index, bucket) in order.enumerated() {
        Timeline.record("\(action) \(names[bucket])", on: .lane(worker)) {
          work(bucket, worker, workers)
        }
        remaining.withLock {
          $0[index] -= 1
          if $0[index] == 0 { handOn(bucket) }
        }
      }
    }
  }
}
