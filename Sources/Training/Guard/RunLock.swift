import Collectives
import Foundation

/// The right to write into a run's folder: a file `.lock` that names who holds it. One program at a
/// time; whoever finds it taken is refused.
///
///     let lock = try RunLock(folder: "run")
///     lock.refresh()                              // every few seconds
///     lock.release()
///
/// A holder that has ended on this host, or that gave no sign for two minutes, has lost it. One on
/// another host may have been lost with it: its next sign is waited for, and if none comes, so is the
/// end of the two minutes. Times are those of the file system, so clocks of hosts need not agree.
package final class RunLock: Sendable {
  /// Who holds a lock.
  private struct Holder: Codable, Equatable {
    let host: String
    let process: Int32
    /// When the process started, in the kernel's count: process numbers come again.
    let started: String
    let boot: String

    static var own: Holder {
      Holder(
        host: hostName(), process: getpid(), started: startTime(of: getpid()) ?? "",
        boot: bootIdentity)
    }

    /// Whether it is known to have ended: it ran here, and runs no more.
    var hasEnded: Bool {
      guard host == hostName() else { return false }
      return boot != Self.bootIdentity || Self.startTime(of: process) != started
    }

    private static var bootIdentity: String {
      (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    }

    /// Field 22 of the process's `stat`, behind the name in brackets; nil when there is none.
    private static func startTime(of process: Int32) -> String? {
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let bracket = text.lastIndex(of: ")")
      else { return nil }
      let fields = text[bracket...].split(separator: " ")
      return fields.count > 20 && fields[1] != "Z" ? String(fields[20]) : nil
    }
  }

  /// Seconds without a sign after which a holder has lost the lock.
  package static let patience = 120.0
  /// Seconds between the signs of a holder that lives, with some to spare.
  private static let usualSilence = 15.0

  private let folder: String
  private let own = Holder.own
  private var path: String { folder + "/.lock" }

  /// Takes the lock of a run's folder, which must exist.
  ///
  /// - Parameter onWait: told once, in a sentence, when a silent holder is waited for.
  /// - Throws: `CheckpointError.inUse` when another program holds it.
  package init(folder: String, onWait: (String) -> Void = { _ in }) throws {
    self.folder = folder
    let draft = folder + "/.lock-\(own.host)-\(own.process)"
    defer { unlink(draft) }
    do {
      try JSONEncoder().encode(own).write(to: URL(fileURLWithPath: draft))
    } catch {
      throw CheckpointError.unwritable(path: folder, reason: "the folder cannot be written")
    }
    // A hard link is made by one program only, on network file systems too.
    for _ in 0..<3 {
      if link(draft, path) == 0 { return }
      let holder = try staleHolder(draft, onWait)
      // Only one of several that find it stale can move it away.
      let stale = draft + "-stale"
      if rename(path, stale) == 0 {
        if Self.holder(stale) != holder { link(stale, path) }
        unlink(stale)
      }
    }
    throw CheckpointError.unwritable(path: path, reason: "the lock cannot be made")
  }

  /// The holder that has lost the lock by now, nil where there is none to be read.
  ///
  /// - Parameter draft: a file of ours, whose time is the file system's.
  private func staleHolder(_ draft: String, _ onWait: (String) -> Void) throws -> Holder? {
    let firstSign = Self.modified(path)
    var isTold = false
    while let holder = Self.holder(path), !holder.hasEnded {
      utimes(draft, nil)
      let sign = Self.modified(path)
      let silence = max(0, Self.modified(draft) - sign)
      if silence > Self.patience { return holder }
      if holder.host == hostName() || sign != firstSign {
        throw CheckpointError.inUse(
          folder: folder, host: holder.host, process: Int(holder.process), silence: silence)
      }
      if silence > Self.usualSilence && !isTold {
        isTold = true
        onWait(
          "process \(holder.process) on \(holder.host) held \(folder) and gave no sign for "
            + "\(Int(silence)) s; going on when it is \(Int(Self.patience)) s")
      }
      Thread.sleep(forTimeInterval: 0.5)
    }
    return Self.holder(path)
  }

  /// Gives a sign of life. Returns false when somebody else holds the lock; one that cannot be read now
  /// (network file systems fail for a while) may be read the next time.
  package func refresh() -> Bool {
    guard let holder = Self.holder(path) else { return true }
    if holder == own { utimes(path, nil) }
    return holder == own
  }

  /// Gives the lock back. A folder in which nothing else came to be goes with it.
  package func release() {
    if Self.holder(path) == own { unlink(path) }
    rmdir(folder)
  }

  private static func holder(_ path: String) -> Holder? {
    FileManager.default.contents(atPath: path).flatMap {
      try? JSONDecoder().decode(Holder.self, from: $0)
    }
  }

  private static func modified(_ path: String) -> Double {
    var status = stat()
    guard stat(path, &status) == 0 else { return 0 }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
  }
}
