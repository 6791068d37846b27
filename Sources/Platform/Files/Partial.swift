import Foundation

/// An unfinished file or folder beside its final path; it is removed unless `finish` was called.
///
/// Its name is `NAME.partial-BOOT-TIME`, created exclusively, so that two jobs never write into the
/// same one. The job holds a lock (`flock`) on it, which the kernel releases when the job ends for
/// any reason.
///
/// A leftover of another job is removed only if that job has certainly ended: the name has the boot
/// identifier of this kernel, and the lock is free. On a network file system a kernel sees only the
/// locks of its own processes, so a partial with another boot identifier is left alone and
/// reported.
final class Partial {
  let path: String
  private let final: String
  private let isFolder: Bool
  private let lock: Int32
  private var isFinished = false

  /// Creates and locks a partial for the output `final`; throws `unwritable`, which names `final`.
  init(of final: String, isFolder: Bool) throws(FileError) {
    (self.final, self.isFolder) = (final, isFolder)
    for _ in 0..<1000 {
      let path = "\(final)\(Self.infix)\(Self.boot)-\(Self.time())"
      guard let lock = try Self.create(path, isFolder, for: final) else { continue }
      // Between its creation and its lock a partial looks like a leftover: another job may lock it,
      // or may have removed it already. Then try the next name.
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
    // Remove before unlocking, so that no other job handles it as a leftover at the same time.
    if !isFinished { try? FileManager.default.removeItem(atPath: path) }
    close(lock)
  }

  /// Marks the partial as renamed or kept, so that it is not removed.
  func finish() { isFinished = true }

  /// Removes the leftovers of ended jobs for the same output.
  ///
  /// Returns the paths that may belong to a running job on another computer. Throws `inProgress` if
  /// a running job on this computer started earlier: names sort by age, so of two jobs the older
  /// one continues.
  func removeLeftovers() throws(FileError) -> [String] {
    let (folder, name) = Folder.split(final)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var unknown: [String] = []
    for other in names.sorted() where other.hasPrefix(name + Self.infix) {
      let words = other.dropFirst(name.count + Self.infix.count).split(separator: "-")
      let path = Folder.join(folder, other)
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

  /// Whether the lock of another partial is free; if so, this job now holds it.
  ///
  /// It tries three times, because a third job that removes the leftover also locks it for a
  /// moment.
  private static func isFree(_ lock: Int32) -> Bool {
    for pause in [0, 10_000, 30_000] as [UInt32] {
      usleep(pause)
      if flock(lock, LOCK_EX | LOCK_NB) == 0 { return true }
    }
    return false
  }

  /// Removes a leftover and returns whether that succeeded.
  ///
  /// While this job holds the leftover's lock, other jobs believe it to be in progress. Removing a
  /// large folder takes long, so it is first moved, which is instantaneous, into this job's partial
  /// folder.
  private func remove(_ leftover: String) -> Bool {
    let moved = path + "/leftover"
    let isMoved = isFolder && rename(leftover, moved) == 0
    let isRemoved =
      (try? FileManager.default.removeItem(atPath: isMoved ? moved : leftover)) != nil
    if isMoved && !isRemoved { rename(moved, leftover) }
    return isRemoved
  }

  private static let infix = ".partial-"

  /// Where a finished output is kept if its final name is taken; no job removes it as a leftover.
  var keptPath: String {
    final + ".finished-" + path.dropFirst(final.count + Self.infix.count)
  }

  /// The first 8 digits of the kernel's boot identifier; random digits if it cannot be read.
  private static let boot = String(
    (HostResources.bootIdentifier ?? UUID().uuidString).prefix(8)
  ).lowercased()

  /// Nanoseconds since boot as 16 hexadecimal digits, so that names sort by age.
  private static func time() -> String {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let digits = String(time.tv_sec * 1_000_000_000 + time.tv_nsec, radix: 16)
    return String(repeating: "0", count: max(0, 16 - digits.count)) + digits
  }

  /// Creates the file or folder and returns its descriptor; nil if the name is taken.
  private static func create(
    _ path: String, _ isFolder: Bool, for final: String
  ) throws(FileError) -> Int32? {
    var isMade = true
    if isFolder { isMade = mkdir(path, 0o777) == 0 }
    let flags = isFolder ? O_RDONLY | O_DIRECTORY : O_WRONLY | O_CREAT | O_EXCL
    let lock = isMade ? open(path, flags | O_CLOEXEC, 0o666) : -1
    if lock >= 0 { return lock }
    let code = errno
    // ENOENT: another job has already removed the new folder as a leftover.
    if code == EEXIST || isFolder && isMade && code == ENOENT { return nil }
    throw .unwritable(path: final, reason: systemReason(code))
  }
}
