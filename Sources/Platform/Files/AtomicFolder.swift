import Foundation

/// A folder that is filled under a temporary name and renamed when it is complete.
///
///     let folder = try AtomicFolder("data")
///     try DurableFile.write(bytes, to: folder.partial + "/data.json")
///     try folder.publish()
///
/// Of two jobs that make the same folder one fails: at the start if both run on one computer,
/// otherwise in `publish`, because `rename` never replaces a folder that is not empty. A folder
/// that is not published is removed. Every file in it must have been flushed, as `DurableFile`
/// does.
package final class AtomicFolder {
  /// The temporary path, under which the folder is filled.
  package let partial: String
  /// Unfinished folders for the same output that may belong to jobs on other computers.
  package let leftovers: [String]
  private let path: String
  private let unfinished: Partial?
  private let fault: FaultHook
  private var isPublished = false

  /// Prepares a new folder at `output`.
  ///
  /// An existing empty folder is replaced. Missing parent folders are created. Throws
  /// `FileError.exists`, `FileError.inProgress` or `FileError.unwritable`.
  package init(_ output: String, fault: @escaping FaultHook = { _ in }) throws {
    try Self.expectFree(output)
    path = try Self.resolve(output)
    self.fault = fault
    let unfinished = try Partial(of: path, isFolder: true)
    leftovers = try unfinished.removeLeftovers()
    partial = unfinished.path
    self.unfinished = unfinished
    // Another job may have published since the first check.
    try Self.expectFree(output)
  }

  /// Prepares a folder that replaces the one at `path`, if there is one.
  ///
  /// Only this program may write in the parent folder: unfinished folders that earlier runs left
  /// there are removed without looking for a lock. Throws `FileError.unwritable`.
  package init(replacing path: String, fault: @escaping FaultHook = { _ in }) throws {
    (self.path, self.fault, unfinished, leftovers) = (path, fault, nil, [])
    let (parent, name) = Folder.split(path)
    partial = "\(parent)/\(Self.hidden)\(name)"
    try fault("make the folder \(fileName(parent))")
    try Folder.make(parent)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for name in names where name.hasPrefix(Self.hidden) {
      try? FileManager.default.removeItem(atPath: parent + "/" + name)
    }
    try fault("make the folder \(fileName(partial))")
    guard mkdir(partial, 0o777) == 0 else {
      throw FileError.unwritable(path: path, reason: systemReason())
    }
  }

  deinit {
    if unfinished == nil && !isPublished { try? FileManager.default.removeItem(atPath: partial) }
  }

  private static let hidden = ".saving-"

  /// Flushes the folder, renames it to its final name, and flushes that name.
  ///
  /// Throws `FileError.unwritable`. A new folder that cannot be renamed is kept, and the error
  /// names its path.
  package func publish() throws {
    try Folder.flush(partial, fault: fault)
    if let unfinished {
      try fault("rename \(fileName(path))")
      guard rename(partial, path) == 0 else { throw kept(unfinished, errno) }
      unfinished.finish()
    } else {
      try replace()
    }
    isPublished = true
    try Folder.flush(Folder.parent(of: path), fault: fault)
  }

  private func kept(_ unfinished: Partial, _ code: Int32) -> FileError {
    unfinished.finish()
    let isKept = rename(partial, unfinished.keptPath) == 0
    let reason = [EEXIST, ENOTEMPTY].contains(code) ? "it exists now" : systemReason(code)
    return .unwritable(
      path: path,
      reason: "\(reason); the finished folder is \(isKept ? unfinished.keptPath : partial)")
  }

  /// Moves the old folder away, renames the new one, and moves the old one back if that fails.
  ///
  /// `rename` cannot replace a folder that is not empty, hence two renames. Between them there is
  /// no folder at `path`.
  private func replace() throws {
    let old = partial + "-replaced"
    try fault("make room for \(fileName(path))")
    let hasOld = rename(path, old) == 0
    do {
      guard hasOld || errno == ENOENT else {
        throw FileError.unwritable(path: path, reason: systemReason())
      }
      try fault("rename \(fileName(path))")
      guard rename(partial, path) == 0 else {
        throw FileError.unwritable(path: path, reason: systemReason())
      }
    } catch {
      if hasOld { rename(old, path) }
      throw error
    }
    if hasOld { try? FileManager.default.removeItem(atPath: old) }
  }

  /// Checks that `output` does not exist or is an empty folder.
  ///
  /// A mount point cannot be replaced by a rename either. Throws `FileError.exists` or
  /// `FileError.unwritable`.
  package static func expectFree(_ output: String) throws(FileError) {
    let entries = try? FileManager.default.contentsOfDirectory(atPath: output)
    if entries?.isEmpty == false { throw .exists(path: output) }
    var (status, parent) = (stat(), stat())
    guard lstat(output, &status) == 0 else { return }
    guard stat(output, &status) == 0 else {
      throw .unwritable(path: output, reason: "it is a broken symbolic link")
    }
    if entries == nil { throw .exists(path: output) }
    if stat(output + "/..", &parent) == 0 && status.st_dev != parent.st_dev {
      throw .unwritable(
        path: output, reason: "it is a mount point; give a folder inside it")
    }
  }

  /// Creates the folders above `output` and returns its absolute path.
  private static func resolve(_ output: String) throws(FileError) -> String {
    if let path = Folder.realPath(output) { return path }
    let (parent, name) = Folder.split(output)
    try Folder.make(parent)
    if let path = Folder.realPath(output) { return path }
    guard let folder = Folder.realPath(parent), !name.isEmpty else {
      throw .unwritable(path: output, reason: systemReason(ENOENT))
    }
    return Folder.join(folder, name)
  }
}
