import Foundation

/// Writes files that appear under their final names only when they are complete and on the disk.
///
/// Each file is written and flushed under a temporary name (see `Partial`) and then linked or
/// renamed. Devices and pipes are written directly.
package enum AtomicFile {
  /// Writes several files, all or none of them.
  ///
  /// "None" holds for new files. With `replacing`, files renamed before an error stay replaced.
  ///
  /// - Parameters:
  ///   - files: the paths and contents.
  ///   - replacing: whether existing files are replaced. If not, an existing file is an error, and
  ///     of two programs that write the same file at the same time one fails.
  /// - Throws: `FileError.exists` or `FileError.unwritable`.
  package static func write(
    _ files: [(path: String, bytes: [UInt8])], replacing: Bool = false
  ) throws {
    var drafts: [(partial: Partial, path: String)] = []
    for (path, bytes) in files {
      if !replacing { try expectNone(path) }
      // A symbolic link stays; the file that it points to is replaced.
      let target = replacing ? Folder.realPath(path) ?? path : path
      if isSpecial(target) {
        try DurableFile.write(bytes, to: target)
        continue
      }
      let partial = try Partial(of: target, isFolder: false)
      _ = try? partial.removeLeftovers()
      try DurableFile.write(bytes, to: partial.path)
      drafts.append((partial, target))
    }
    try publish(drafts, replacing)
  }

  /// Writes one file, like `write(_:replacing:)` for several.
  package static func write(
    _ bytes: some Sequence<UInt8>, to path: String, replacing: Bool = false
  ) throws {
    try write([(path, Array(bytes))], replacing: replacing)
  }

  /// Checks that a new file can be created at `path`.
  ///
  /// Call it before long work, so that the result is not lost because of a bad path. Throws
  /// `FileError.exists` or `FileError.unwritable`.
  package static func expectFree(_ path: String) throws {
    try expectNone(path)
    _ = try Partial(of: path, isFolder: false)
  }

  /// Throws `FileError.exists`, or `FileError.unwritable` for an empty path.
  private static func expectNone(_ path: String) throws(FileError) {
    // Beside an empty path a temporary file can be made, but it has no final name.
    if path.isEmpty { throw .unwritable(path: "\"\"", reason: "the path is empty") }
    var status = stat()
    if lstat(path, &status) == 0 { throw .exists(path: path) }
  }

  /// Whether `path` is a device or a pipe, which cannot be replaced by a renamed file.
  private static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  private static func publish(
    _ drafts: [(partial: Partial, path: String)], _ replacing: Bool
  ) throws {
    var published: [String] = []
    do {
      for (partial, path) in drafts {
        try name(partial, path, replacing)
        published.append(path)
      }
    } catch {
      if !replacing { for path in published { unlink(path) } }
      throw error
    }
    for folder in Set(drafts.map { Folder.parent(of: $0.path) }) { try Folder.flush(folder) }
  }

  /// Gives one finished file its final name.
  private static func name(
    _ partial: Partial, _ path: String, _ replacing: Bool
  ) throws(FileError) {
    // Only one program can create a hard link of this name, on network file systems too.
    if !replacing && link(partial.path, path) == 0 { return }
    if !replacing {
      // Without hard links (exFAT, SMB), an empty file reserves the name for the rename below.
      let file = errno == EEXIST ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if file < 0 && errno == EEXIST { throw .exists(path: path) }
      guard file >= 0 else { throw .unwritable(path: path, reason: systemReason()) }
      close(file)
    }
    guard rename(partial.path, path) == 0 else {
      let reason = systemReason()
      if !replacing { unlink(path) }
      throw .unwritable(path: path, reason: reason)
    }
    partial.finish()
  }
}
