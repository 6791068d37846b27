#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A value shared by threads, with a lock and a condition variable.
///
///     let monitor = Monitor(0)
///     monitor.withLock { $0 += 1 }
///     monitor.wakeAll()                                   // wakes the waiting threads
///     monitor.wait { $0 > 0 } then: { $0 = 0 }            // on another thread
///
/// `Synchronization` has locks but no condition variables, hence pthread's. A change is seen by
/// waiting threads only after `wakeAll`.
package final class Monitor<State>: @unchecked Sendable {  // `state` only under `mutex`
  // Unchecked: `state` is accessed only while `mutex` is held. A body must not let a reference in
  // it escape.

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  package init(_ state: State) {
    self.state = state
    pthread_mutex_init(mutex, nil)
    // Deadlines must not change when the system time is set.
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(changed, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` with exclusive access to the value.
  ///
  /// The lock is not recursive: `body` must not use the monitor, nor wait for threads that do.
  package func withLock<Result, Failure: Error>(
    _ body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Makes every waiting thread check its condition again.
  package func wakeAll() { pthread_cond_broadcast(changed) }

  /// Sleeps until `condition` holds, then runs `body` with exclusive access to the value.
  ///
  /// The lock is held from the check to the end of `body`, so that `condition` still holds in it.
  package func wait<Result, Failure: Error>(
    until condition: (State) -> Bool, then body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !condition(state) { pthread_cond_wait(changed, mutex) }
    return try body(&state)
  }

  /// Sleeps until `condition` holds, at most `seconds`; returns whether it holds.
  package func wait(seconds: Double, until condition: (State) -> Bool) -> Bool {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    let nanoseconds = deadline.tv_nsec + Int((seconds - seconds.rounded(.down)) * 1e9)
    deadline.tv_sec += Int(seconds.rounded(.down)) + nanoseconds / 1_000_000_000
    deadline.tv_nsec = nanoseconds % 1_000_000_000
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !condition(state) {
      if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return condition(state) }
    }
    return true
  }
}
