#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The thread that talks to other ranks while workers compute: it does jobs one after the other.
///
/// Blocking calls on a thread of its own overlap with computation where MPI's non-blocking
/// collectives do not. All ranks must submit the same jobs in the same order.
package final class SerialQueue: @unchecked Sendable {
  // Unchecked: all that changes is only touched under `mutex`.

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [@Sendable () throws -> Void] = []
  private var submitted = 0
  private var done = 0
  private var failure: (any Error)?

  package init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
    startThreadOrEnd { self.live() }
  }

  /// Adds a job and returns its number. After a job has thrown, later ones are passed over.
  package func submit(_ job: @escaping @Sendable () throws -> Void) -> Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    jobs.append(job)
    submitted += 1
    pthread_cond_broadcast(changed)
    return submitted
  }

  /// Whether job `number` and all before it are done.
  package func isDone(_ number: Int) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return done >= number
  }

  /// Waits until job `number` and all before it are done; throws what one of them threw.
  package func wait(for number: Int) throws {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while done < number { pthread_cond_wait(changed, mutex) }
    if let failure { throw failure }
  }

  /// Waits for everything submitted so far.
  package func wait() throws {
    pthread_mutex_lock(mutex)
    let last = submitted
    pthread_mutex_unlock(mutex)
    try wait(for: last)
  }

  private func live() {
    pthread_mutex_lock(mutex)
    while true {
      while jobs.isEmpty { pthread_cond_wait(changed, mutex) }
      let job = jobs.removeFirst()
      let isSound = failure == nil
      pthread_mutex_unlock(mutex)
      var thrown: (any Error)?
      if isSound { do { try job() } catch { thrown = error } }
      pthread_mutex_lock(mutex)
      if let thrown { failure = thrown }
      done += 1
      pthread_cond_broadcast(changed)
    }
  }
}
