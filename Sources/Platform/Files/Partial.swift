import Foundation

/// An unfinished file or folder beside the output that it will become; it is removed unless it was
/// finished.
///
/// Its name is `NAME.partial-BOOT-TIME`, made by exclusive creation: no two jobs ever write into the
/// same one. The job holds a lock (`flock`) on it, which the kernel releases when the job ends, in
/// whatever way. What another job left is removed only where its end is certain: the name has this
/// kernel's boot identifier, and the lock is free. On a network file system a kernel sees the locks of
/// its own programs alone, so partials with another boot identifier are never judged.
final class Partial {
  let path: String
  private let final: String
  private let isFolder: Bool
  private let lock: Int32
  private var isFinished = false

  /// - Throws: `unwritable`, which names `final`.
  init(of final: String, isFolder: Bool) throws(FileError) {
    (self.final, self.isFolder) = (final, isFolder)
    for _ in 0..<1000 {
      let path = "\(final)\(Self.infix)\(Self.boot)-\(Self.time())"
      guard let lock = try Self.create(path, isFolder, for: final) else { continue }
      // Before it has its lock, a partial looks like a leftover: another job may have removed it.
      let isTaken = flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
      if !isTaken && access(path, F_OK) == 0 {
        (self.path, self.lock) = (path, lock)
        return
      }
      close(lock)
    }
    throw .unwritable(path: final, reason: "no temporary name is free")
  }

  deinit {
    // The lock is held meanwhile, so that nobody takes what is being removed for a leftover.
    if !isFinished { try? FileManager.default.removeItem(atPath: path) }
    close(lock)
  }

  /// It has become what it was made for, or is kept.
  func finish() { isFinished = true }

  /// Removes what jobs that have ended left of the same output.
  ///
  /// - Returns: the leftovers that may be those of a job that is alive on another computer.
  /// - Throws: `inProgress` where a job that is alive began before this one.
  func removeLeftovers() throws(FileError) -> [String] {
    let (folder, name) = Folder.split(final)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var unknown: [String] = []
    for other in names.sorted() where other.hasPrefix(name + Self.infix) {
      let words = other.dropFirst(name.count + Self.infix.count).split(separator: "-")
      let path = (folder == "/" ? "" : folder) + "/" + other
      guard words.count == 2, path != self.path else { continue }
      guard words[0] == Self.boot else {
        unknown.append(path)
        continue
      }
      let lock = open(path, O_RDONLY | O_CLOEXEC)
      if lock < 0 { continue }
      defer { close(lock) }
      if Self.isFree(lock) {
        if !remove(path) { unknown.append(path) }
      } else if path < self.path && access(path, F_OK) == 0 {
        throw .inProgress(path: final, partial: path)
      }
    }
    return unknown
  }

  /// Takes the lock of another partial. A job that removes it holds the lock for a moment, too.
  private static func isFree(_ lock: Int32) -> Bool {
    for pause in [0, 10_000, 30_000] as [UInt32] {
      usleep(pause)
      if flock(lock, LOCK_EX | LOCK_NB) == 0 { return true }
    }
    return false
  }

  /// Removes a leftover. A folder is first moved into this job's own one, so that its lock, by which
  /// other jobs would take it for one in progress, is held for a moment only.
  private func remove(_ leftover: String) -> Bool {
    let moved = path + "/leftover"
    let isMoved = isFolder && rename(leftover, moved) == 0
    let isRemoved =
      (try? FileManager.default.removeItem(atPath: isMoved ? moved : leftover)) != nil
    if isMoved && !isRemoved { rename(moved, leftover) }
    return isRemoved
  }

  private static let infix = ".partial-"

  /// Where what is finished is kept if it cannot have its name: no later job takes it for a leftover.
  var keptPath: String {
    final + ".finished-" + path.dropFirst(final.count + Self.infix.count)
  }

  /// This kernel since its start; a random number, which no other job has, where it does not say.
  private static let boot: String = {
    let path = "/proc/sys/kernel/random/boot_id"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? UUID().uuidString
    return String(text.prefix(8)).lowercased()
  }()

  /// The time since the kernel's start, so that names sort by age.
  private static func time() -> String {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let digits = String(time.tv_sec * 1_000_000_000 + time.tv_nsec, radix: 16)
    return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }

  /// A descriptor of the new file or folder; nil where the name is taken.
  private static func create(
    _ path: String, _ isFolder: Bool, for final: String
  ) throws(FileError) -> Int32? {
    var isMade = true
    if isFolder { isMade = mkdir(path, 0o777) == 0 }
    let flags = isFolder ? O_RDONLY | O_DIRECTORY : O_WRONLY | O_CREAT | O_EXCL
    let lock = isMade ? open(path, flags | O_CLOEXEC, 0o666) : -1
    if lock >= 0 { return lock }
    let code = errno
    // A new folder that is gone again was taken for a leftover.
    if code == EEXIST || isFolder && isMade && code == ENOENT { return nil }
    throw .unwritable(path: final, reason: systemReason(code))
  }
}
