#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The workers of a rank: threads that compute, made once, each kept to a processor of its own.
///
///     let team = WorkerTeam(processors: [0, 1])
///     team.run { worker in compute(slices[worker]) }       // returns when every worker has
///
/// Workers are plain threads and not Swift tasks: they wait for each other and for weights that travel, and
/// kernels inside them are single-threaded.
package final class WorkerTeam: @unchecked Sendable {
  // Unchecked: `work` and the counters are only touched under `mutex`.

  /// The number of workers.
  package let count: Int
  private var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var threads: [pthread_t] = []
  private var work: (@Sendable (Int) -> Void)?
  private var generation = 0
  private var running = 0
  private var isEnding = false

  /// One worker for each entry of `processors`; a negative entry leaves its worker free to move.
  package init(processors: [Int]) {
    count = processors.count
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
    for (worker, processor) in processors.enumerated() {
      threads.append(
        startThreadOrEnd(stackBytes: 16 << 20) {
          if processor >= 0 { pinCurrentThread(to: processor) }
          self.live(worker: worker)
        })
    }
  }

  /// Runs `body` on every worker with the worker's number, and returns when all have finished.
  package func run(_ body: @escaping @Sendable (Int) -> Void) {
    pthread_mutex_lock(mutex)
    work = body
    generation += 1
    running = count
    pthread_cond_broadcast(changed)
    while running > 0 { pthread_cond_wait(changed, mutex) }
    work = nil
    pthread_mutex_unlock(mutex)
  }

  /// Ends the threads. The team must not be used afterwards.
  package func end() {
    pthread_mutex_lock(mutex)
    isEnding = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  /// What a worker does: waits for the next piece of work, does it, reports.
  private func live(worker: Int) {
    var seen = 0
    pthread_mutex_lock(mutex)
    while true {
      while generation == seen && !isEnding { pthread_cond_wait(changed, mutex) }
      if isEnding { break }
      seen = generation
      let body = work
      pthread_mutex_unlock(mutex)
      body?(worker)
      pthread_mutex_lock(mutex)
      running -= 1
      if running == 0 { pthread_cond_broadcast(changed) }
    }
    pthread_mutex_unlock(mutex)
  }
}
