import Foundation
import Platform

/// The exclusive right to write into a run's folder, held through the file `.lock`.
///
///     let lock = try RunLock(folder: "run")
///     guard lock.refresh() else { ... }           // every few seconds; false: lost
///     lock.release()
///
/// The file describes its holder. If another program holds the lock:
/// - A holder whose process is visible (`RunLock.Holder.state`) keeps the lock while it runs. After
///   it has ended, its lock is replaced at once.
/// - Any other holder may be on another host, in another container, or lost with its host. A waiter
///   watches the file for two minutes. A change of the file is a heartbeat, and the waiter gives
///   up. Without a heartbeat the holder has lost the lock.
///
/// The waiter measures its two minutes with its own monotonic clock, and compares times of the file
/// only with earlier times of the same file. So the clocks of hosts and file servers may be wrong
/// by any amount.
///
/// The file is created with `O_EXCL`, which every file system supports. Many network file systems
/// lack hard links, and `flock` is often local to a host.
package final class RunLock: Sendable {
  /// The clock of a waiter; tests replace it.
  package struct Clock {
    /// Returns seconds of a monotonic clock.
    package let seconds: () -> Double
    /// Waits for the given number of seconds.
    package let wait: (Double) -> Void

    package init(
      seconds: @escaping () -> Double = now,
      wait: @escaping (Double) -> Void = { Thread.sleep(forTimeInterval: $0) }
    ) {
      self.seconds = seconds
      self.wait = wait
    }
  }

  /// The lock file at one moment.
  ///
  /// Any difference between two observations is a heartbeat.
  private struct Observation: Equatable {
    /// Nil while the file is being written, or if it is damaged.
    let holder: Holder?
    let seconds: Int
    let nanoseconds: Int

    /// Nil if there is no file.
    init?(_ path: String) {
      var status = stat()
      if lstat(path, &status) != 0 && errno == ENOENT { return nil }
      holder = RunLock.holder(path)
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  /// Seconds without a heartbeat after which a holder loses the lock.
  ///
  /// Holders refresh every ten seconds. The rest is for file systems that show a change late or
  /// hang for a while.
  private static let timeout = 120.0
  /// Seconds between two observations of a waiter.
  private static let interval = 0.5

  private let folder: String
  private let holder = Holder.ofThisProcess
  private var path: String { folder + "/.lock" }

  /// Takes the lock of a run's folder, which must exist.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - clock: the clock for waiting.
  ///   - isAskedToStop: whether to stop waiting, with `TrainerError.stopped`.
  ///   - onWait: called once with a message before waiting for a holder's heartbeat.
  /// - Throws: `CheckpointError.inUse` if another program holds the lock; `FileError.unwritable` if
  ///   the file cannot be created.
  package init(
    folder: String, clock: Clock = Clock(), isAskedToStop: () -> Bool = { false },
    onWait: (String) -> Void = { _ in }
  ) throws {
    self.folder = folder
    let contents = try JSONEncoder().encode(holder)
    // Only `create` takes the lock. Everything else at most removes a stale file, and tries again.
    while try !create(contents) {
      guard let found = Observation(path) else { continue }
      if try isStale(found, clock, isAskedToStop, onWait) { try removeStale(found) }
    }
  }

  /// Creates the file; false if it exists.
  private func create(_ contents: Data) throws -> Bool {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      if errno == EEXIST { return false }
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    // Between `open` and `write` others see an empty file: a holder of unknown state, for whose
    // heartbeat they wait. The write is that heartbeat.
    let isWritten = contents.withUnsafeBytes { write(file, $0.baseAddress, $0.count) == $0.count }
    let reason = systemReason()
    close(file)
    guard isWritten else {
      unlink(path)
      throw FileError.unwritable(path: path, reason: reason)
    }
    return true
  }

  /// Whether the holder of an observation has lost the lock; false if the file is gone meanwhile.
  private func isStale(
    _ first: Observation, _ clock: Clock, _ isAskedToStop: () -> Bool, _ onWait: (String) -> Void
  ) throws -> Bool {
    switch first.holder?.state ?? .unknown {
    case .ended: return true
    case .running: throw inUse(first)
    case .unknown: break
    }
    onWait(
      "\(first.holder?.name ?? "an unknown process") holds \(folder); waiting for its next "
        + "heartbeat, at most \(Int(Self.timeout)) s")
    var silence = 0.0
    var last = clock.seconds()
    while silence < Self.timeout {
      clock.wait(Self.interval)
      if isAskedToStop() { throw TrainerError.stopped }
      // A long gap means that this process was suspended and has observed nothing. Counted in full,
      // it would expire a holder that was suspended with it, for example on one virtual machine.
      silence += min(clock.seconds() - last, 4 * Self.interval)
      last = clock.seconds()
      guard let found = Observation(path) else { return false }
      if found != first { throw inUse(found) }
    }
    return true
  }

  private func inUse(_ found: Observation) -> CheckpointError {
    .inUse(folder: folder, holder: found.holder?.name ?? "another program")
  }

  /// Removes the file of a holder that has lost the lock.
  ///
  /// Several waiters may come here at once, so the file must not be unlinked by its path: a slower
  /// waiter would unlink the new lock of a faster one. Each renames the file to a name of its own
  /// instead. Only one rename of a file can succeed. If it caught a newer lock nevertheless, its
  /// contents differ from the observation, and it is put back. Should a third program create a lock
  /// in between, the caught holder finds it at its next `refresh` and ends.
  private func removeStale(_ observation: Observation) throws {
    let stale = path + "-" + holder.token
    guard Observation(path) == observation else { return }
    guard rename(path, stale) == 0 else {
      if errno == ENOENT { return }
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    defer { unlink(stale) }
    if Observation(stale) != observation, let contents = FileManager.default.contents(atPath: stale)
    {
      _ = try create(contents)
    }
  }

  /// Gives a heartbeat; returns false if another program holds the lock.
  ///
  /// A file that cannot be read counts as held: network file systems fail for a while, and the next
  /// call may succeed. A missing file is created again.
  package func refresh() -> Bool {
    guard let found = Observation(path) else {
      return (try? create(JSONEncoder().encode(holder))) ?? true
    }
    guard let current = found.holder else { return true }
    if current == holder { utimes(path, nil) }
    return current == holder
  }

  /// Releases the lock, and removes the folder if it is otherwise empty.
  ///
  /// Does not touch the lock of another program.
  package func release() {
    if Self.holder(path) == holder { unlink(path) }
    rmdir(folder)
  }

  /// The holder of the lock of a run's folder; nil where nobody holds it.
  package static func holder(ofFolder folder: String) -> Holder? { holder(folder + "/.lock") }

  private static func holder(_ path: String) -> Holder? {
    FileManager.default.contents(atPath: path).flatMap {
      try? JSONDecoder().decode(Holder.self, from: $0)
    }
  }
}
