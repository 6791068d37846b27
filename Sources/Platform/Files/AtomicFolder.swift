import Foundation

/// A folder that has its name only when it is whole: it is filled under another name and then renamed.
///
///     let folder = try AtomicFolder("data")
///     try DurableFile.write(bytes, to: folder.partial + "/data.json")
///     try folder.publish()
///
/// Of two jobs that make the same folder one is refused, at once where both run on one computer, else
/// when it wants to publish: a folder is never renamed onto one that is not empty. An unpublished folder
/// is removed. Every file in it must have been flushed, as `DurableFile` does.
package final class AtomicFolder {
  /// Where the folder is filled.
  package let partial: String
  /// Unfinished folders of the same name that may be those of jobs on other computers.
  package let leftovers: [String]
  private let path: String
  private let unfinished: Partial?
  private let fault: FaultHook
  private var isPublished = false

  /// A new folder at `output`; an empty one that is there gives way. The folders above it are made.
  ///
  /// - Throws: `exists`, `inProgress` or `unwritable`.
  package init(_ output: String, fault: @escaping FaultHook = { _ in }) throws {
    try Self.expectFree(output)
    path = try Self.resolve(output)
    self.fault = fault
    let unfinished = try Partial(of: path, isFolder: true)
    leftovers = try unfinished.removeLeftovers()
    partial = unfinished.path
    self.unfinished = unfinished
    // Another job may have published since the first look.
    try Self.expectFree(output)
  }

  /// A folder that takes the place of the one at `path`, if there is one, among folders that this
  /// program alone writes. What earlier starts left unfinished there is removed.
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

  /// Gives the folder its name, on the disk too.
  ///
  /// - Throws: `unwritable`. A new folder whose name cannot be given is kept, and the error says where.
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
    let reason = [EEXIST, ENOTEMPTY].contains(code) ? "it exists by now" : systemReason(code)
    return .unwritable(
      path: path,
      reason: "\(reason); the finished folder is \(isKept ? unfinished.keptPath : partial)")
  }

  /// The folder that is there makes room, and comes back when the renaming fails.
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

  /// Checks that nothing but an empty folder is at `output`.
  package static func expectFree(_ output: String) throws(FileError) {
    let entries = try? FileManager.default.contentsOfDirectory(atPath: output)
    if entries?.isEmpty == false { throw .exists(path: output) }
    var (own, parent) = (stat(), stat())
    guard lstat(output, &own) == 0 else { return }
    guard stat(output, &own) == 0 else {
      throw .unwritable(path: output, reason: "it is a link to nothing")
    }
    if entries == nil { throw .exists(path: output) }
    if stat(output + "/..", &parent) == 0 && own.st_dev != parent.st_dev {
      throw .unwritable(
        path: output, reason: "it is a file system of its own; give a folder inside it")
    }
  }

  /// The absolute path of `output`, after the folders above it were made.
  private static func resolve(_ output: String) throws(FileError) -> String {
    if let path = Folder.realPath(output) { return path }
    let (parent, name) = Folder.split(output)
    try Folder.make(parent)
    if let path = Folder.realPath(output) { return path }
    guard let folder = Folder.realPath(parent), !name.isEmpty else {
      throw .unwritable(path: output, reason: systemReason(ENOENT))
    }
    return (folder == "/" ? "" : folder) + "/" + name
  }
}
