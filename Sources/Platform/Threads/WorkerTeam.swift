#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The workers of a rank: threads that compute, started once, each pinned to a processor if asked.
///
///     let team = WorkerTeam(processors: [0, 1])
///     team.run { worker in compute(slices[worker]) }   // returns when every worker has
///     team.end()
///
/// Workers are plain threads and not Swift tasks: they wait for each other and for weights that are
/// on their way, and kernels inside them are single-threaded.
package final class WorkerTeam: Sendable {
  private struct State {
    var work: (@Sendable (Int) -> Void)?
    /// Counts calls of `run`, so that a worker knows a new one from the one it has just done.
    var round = 0
    /// Workers that have yet to finish the round.
    var running = 0
    var isEnding = false
    var threads: [pthread_t] = []
  }

  /// The number of workers.
  package let count: Int
  private let monitor = Monitor(State())

  /// Starts one worker for each entry of `processors`; a negative entry leaves its worker free to move.
  ///
  /// Where the system refuses a thread, the program ends (`ResourceShortage`).
  package init(processors: [Int]) {
    count = processors.count
    // Threads hold the monitor and not the team, so that the team's end can end them.
    let monitor = monitor
    let threads = processors.enumerated().map { worker, processor in
      startThreadOrEnd(stackBytes: 16 << 20) {
        if processor >= 0 { pinCurrentThread(to: processor) }
        Self.work(worker, on: monitor)
      }
    }
    monitor.withLock { $0.threads = threads }
  }

  deinit { end() }

  /// Runs `body` on every worker with the worker's number, and returns when all have finished.
  package func run(_ body: @escaping @Sendable (Int) -> Void) {
    monitor.withLock { state in
      precondition(!state.isEnding, "work for a team that has ended")
      state.work = body
      state.round += 1
      state.running = count
    }
    monitor.wakeAll()
    monitor.wait {
      $0.running == 0
    } then: {
      $0.work = nil
    }
  }

  /// Ends the threads and waits for them.
  ///
  /// A second call does nothing. The team does no work afterwards.
  package func end() {
    let threads = monitor.withLock { state in
      state.isEnding = true
      defer { state.threads = [] }
      return state.threads
    }
    monitor.wakeAll()
    for thread in threads { pthread_join(thread, nil) }
  }

  private static func work(_ worker: Int, on monitor: Monitor<State>) {
    var round = 0
    func next() -> (@Sendable (Int) -> Void)? {
      monitor.wait {
        $0.round != round || $0.isEnding
      } then: { state in
        round = state.round
        return state.isEnding ? nil : state.work
      }
    }
    while let body = next() {
      body(worker)
      let isLast = monitor.withLock { state in
        state.running -= 1
        return state.running == 0
      }
      if isLast { monitor.wakeAll() }
    }
  }
}
