#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A thread that runs jobs one after the other, in the order of submission.
///
///     let queue = SerialQueue()
///     let job = queue.submit { try exchange() }
///     try queue.wait(for: job)
///     queue.end()
///
/// It runs the communication of a step. Blocking MPI calls on a separate thread overlap with
/// computation, whereas non-blocking collectives make progress only inside MPI calls. All ranks
/// must submit such jobs in the same order.
package final class SerialQueue: Sendable {
  private struct State {
    var jobs: [@Sendable () throws -> Void] = []
    var submitted = 0
    var done = 0
    var failure: (any Error)?
    var isEnding = false
    /// Nil once a caller of `end` has taken it to join it.
    var thread: pthread_t?
  }

  private let monitor = Monitor(State())

  /// Starts the thread.
  ///
  /// If the system refuses the thread, the program ends (`ResourceShortage`).
  package init() {
    // The thread keeps the monitor alive but not the queue: otherwise `deinit`, which ends the
    // thread, would never run.
    let monitor = monitor
    let thread = startThreadOrEnd { Self.work(on: monitor) }
    monitor.withLock { $0.thread = thread }
  }

  deinit { end() }

  /// Adds a job and returns its number.
  ///
  /// After a job has thrown, all later jobs are skipped, because ranks that disagree on the
  /// sequence of collective calls would block.
  package func submit(_ job: @escaping @Sendable () throws -> Void) -> Int {
    let number = monitor.withLock { state in
      precondition(!state.isEnding, "a job was submitted to a queue that has ended")
      state.jobs.append(job)
      state.submitted += 1
      return state.submitted
    }
    monitor.wakeAll()
    return number
  }

  /// Whether job `number` and all earlier ones have finished or were skipped.
  package func isDone(_ number: Int) -> Bool { monitor.withLock { $0.done >= number } }

  /// Waits until job `number` and all earlier ones are done; throws the first error of any job so
  /// far.
  package func wait(for number: Int) throws {
    try monitor.wait {
      $0.done >= number
    } then: { state throws in
      if let failure = state.failure { throw failure }
    }
  }

  /// Waits for all jobs submitted so far; throws the first error.
  package func wait() throws { try wait(for: monitor.withLock { $0.submitted }) }

  /// Ends the thread after the jobs submitted so far, and waits for it.
  ///
  /// A second call does nothing. Submitting a job afterwards is a programming error.
  package func end() {
    let thread = monitor.withLock { state in
      state.isEnding = true
      defer { state.thread = nil }
      return state.thread
    }
    monitor.wakeAll()
    guard let thread else { return }
    // A job that holds the last reference to its queue ends it on the queue's own thread, which
    // cannot join itself.
    if pthread_equal(thread, pthread_self()) != 0 {
      pthread_detach(thread)
    } else {
      pthread_join(thread, nil)
    }
  }

  private static func work(on monitor: Monitor<State>) {
    typealias Next = (job: @Sendable () throws -> Void, isSkipped: Bool)
    func next() -> Next? {
      monitor.wait {
        !$0.jobs.isEmpty || $0.isEnding
      } then: { state in
        state.jobs.isEmpty ? nil : (state.jobs.removeFirst(), state.failure != nil)
      }
    }
    while let (job, isSkipped) = next() {
      var failure: (any Error)?
      if !isSkipped { do { try job() } catch { failure = error } }
      monitor.withLock { state in
        if let failure { state.failure = failure }
        state.done += 1
      }
      monitor.wakeAll()
    }
  }
}
