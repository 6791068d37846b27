#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The worker threads of a rank, which compute; started once, each pinned to a processor if
/// requested.
///
///     let team = WorkerTeam(processors: [0, 1])
///     team.run { worker in compute(slices[worker]) }   // returns when every worker has finished
///     team.end()
///
/// Workers are threads and not Swift tasks, because they block: they wait for each other and for
/// weights from other ranks. Kernels that they call are single-threaded.
package final class WorkerTeam: Sendable {
  private struct State {
    var work: (@Sendable (Int) -> Void)?
    /// The number of calls of `run`, by which a worker recognizes a new one.
    var round = 0
    /// Workers that have not finished the round.
    var running = 0
    var isEnding = false
    var threads: [pthread_t] = []
  }

  /// The number of workers.
  package let count: Int
  private let monitor = Monitor(State())

  /// Starts one worker per entry of `processors`; a worker with a negative entry is not pinned.
  ///
  /// If the system refuses a thread, the program ends (`ResourceShortage`).
  package init(processors: [Int]) {
    count = processors.count
    // The threads keep the monitor alive but not the team: otherwise `deinit`, which ends them,
    // would never run. Kernels allocate temporary buffers on the stack, hence 16 MB.
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

  /// Runs `body` on every worker with the worker's index, and returns when all have finished.
  ///
  /// One thread at a time may call it.
  package func run(_ body: @escaping @Sendable (Int) -> Void) {
    monitor.withLock { state in
      precondition(!state.isEnding, "work was given to a team that has ended")
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
  /// A second call does nothing. Calling `run` afterwards is a programming error.
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
