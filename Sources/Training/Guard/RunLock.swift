import Foundation
import Platform

/// The right to write into a run's folder: a file `.lock` that names the process which holds it. Another
/// program that finds it taken is refused.
///
///     let lock = try RunLock(folder: "run")
///     lock.refresh()                              // every few seconds
///     lock.release()
///
/// A holder that this process can see (`RunLock.Holder`) is refused while it runs and replaced when it
/// has ended. Any other holder is judged by its heartbeats alone, the changes of the file's time: the
/// waiter looks for two minutes on its own monotonic clock whether one comes. No two clocks are compared,
/// so those of hosts and file servers may be wrong by any amount.
///
/// The file is made by exclusive creation, which every file system has; many lack hard links.
package final class RunLock: Sendable {
  /// How a waiter passes its time; tests replace it.
  package struct Clock {
    /// Seconds on a clock that only runs forward.
    package let seconds: () -> Double
    /// Waits so many seconds.
    package let wait: (Double) -> Void

    package init(
      seconds: @escaping () -> Double = now,
      wait: @escaping (Double) -> Void = { Thread.sleep(forTimeInterval: $0) }
    ) {
      self.seconds = seconds
      self.wait = wait
    }
  }

  /// What a look at the file shows. Any difference between two looks is a heartbeat.
  private struct Look: Equatable {
    /// Nil while it is being written, or when it is damaged.
    let holder: Holder?
    let seconds: Int
    let nanoseconds: Int

    /// Nil when there is no file.
    init?(_ path: String) {
      var status = stat()
      if lstat(path, &status) != 0 && errno == ENOENT { return nil }
      holder = RunLock.holder(path)
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  /// Seconds without a heartbeat after which a holder has lost the lock.
  package static let patience = 120.0
  /// Seconds between two looks of a waiter.
  private static let interval = 0.5

  private let folder: String
  private let holder = Holder.ofThisProcess
  private var path: String { folder + "/.lock" }

  /// Takes the lock of a run's folder, which must exist.
  ///
  /// - Parameters:
  ///   - clock: of a waiter.
  ///   - isAskedToStop: ends the waiting for a holder with `TrainerError.stopped`.
  ///   - onWait: called once with a sentence when a holder has to be waited for.
  /// - Throws: `CheckpointError.inUse` when another program holds it.
  package init(
    folder: String, clock: Clock = Clock(), isAskedToStop: () -> Bool = { false },
    onWait: (String) -> Void = { _ in }
  ) throws {
    self.folder = folder
    let contents = try JSONEncoder().encode(holder)
    while try !create(contents) {
      guard let look = Look(path) else { continue }
      if try isLost(look, clock, isAskedToStop, onWait) { try moveAway(look) }
    }
  }

  /// Makes the file; false when it is there already.
  private func create(_ contents: Data) throws -> Bool {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      if errno == EEXIST { return false }
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    let isWritten = contents.withUnsafeBytes { write(file, $0.baseAddress, $0.count) == $0.count }
    let reason = systemReason()
    close(file)
    guard isWritten else {
      unlink(path)
      throw FileError.unwritable(path: path, reason: reason)
    }
    return true
  }

  /// Whether the holder of the first look has lost the lock; false when the file has gone meanwhile.
  private func isLost(
    _ first: Look, _ clock: Clock, _ isAskedToStop: () -> Bool, _ onWait: (String) -> Void
  ) throws -> Bool {
    switch first.holder?.state ?? .unknown {
    case .ended: return true
    case .running: throw inUse(first)
    case .unknown: break
    }
    onWait(
      "\(first.holder?.name ?? "an unknown process") holds \(folder); waiting for its next heartbeat, "
        + "at most \(Int(Self.patience)) s")
    var silence = 0.0
    var last = clock.seconds()
    while silence < Self.patience {
      clock.wait(Self.interval)
      if isAskedToStop() { throw TrainerError.stopped }
      // Time in which this process stood still does not count: it saw nothing.
      silence += min(clock.seconds() - last, 4 * Self.interval)
      last = clock.seconds()
      guard let look = Look(path) else { return false }
      if look != first { throw inUse(look) }
    }
    return true
  }

  private func inUse(_ look: Look) -> CheckpointError {
    .inUse(folder: folder, holder: look.holder?.name ?? "another program")
  }

  /// Removes the file of a holder that has lost the lock. Only one of several waiters can move it away;
  /// what is no longer as it was at the last look is put back.
  private func moveAway(_ look: Look) throws {
    let stale = path + "-" + holder.token
    guard Look(path) == look else { return }
    guard rename(path, stale) == 0 else {
      if errno == ENOENT { return }
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    defer { unlink(stale) }
    if Look(stale) != look, let contents = FileManager.default.contents(atPath: stale) {
      _ = try create(contents)
    }
  }

  /// Gives a heartbeat. Returns false when another program holds the lock; a file that cannot be read now
  /// (network file systems fail for a while) may be read the next time, and one that is gone is made
  /// again.
  package func refresh() -> Bool {
    guard let look = Look(path) else {
      return (try? create(JSONEncoder().encode(holder))) ?? true
    }
    guard let found = look.holder else { return true }
    if found == holder { utimes(path, nil) }
    return found == holder
  }

  /// Gives the lock back. A folder in which nothing else came to be goes with it.
  package func release() {
    if Self.holder(path) == holder { unlink(path) }
    rmdir(folder)
  }

  private static func holder(_ path: String) -> Holder? {
    FileManager.default.contents(atPath: path).flatMap {
      try? JSONDecoder().decode(Holder.self, from: $0)
    }
  }
}
