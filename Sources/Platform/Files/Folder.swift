import Glibc

/// Creates and flushes folders, and takes their paths apart.
package enum Folder {
  /// Creates a folder and its parents, unless they exist; throws `FileError.unwritable`.
  package static func make(_ path: String) throws(FileError) {
    if mkdir(path, 0o777) == 0 { return }
    var code = errno
    if isFolder(path) { return }
    let parent = parent(of: path)
    if code == ENOENT && !path.isEmpty && parent != path {
      try make(parent)
      if mkdir(path, 0o777) == 0 { return }
      code = errno
      // Another program may have created it in the meantime.
      if isFolder(path) { return }
    }
    throw .unwritable(path: path, reason: "the folder cannot be made: \(systemReason(code))")
  }

  /// Flushes the folder's directory entries to the disk, so that new names in it survive a crash.
  package static func flush(_ path: String, fault: FaultHook = { _ in }) throws {
    try fault("flush \(fileName(path))")
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    let isFlushed = descriptor >= 0 && fsync(descriptor) == 0
    let code = errno
    if descriptor >= 0 { close(descriptor) }
    // Some file systems cannot flush folders, and some folders may not be opened. Only errors that
    // mean lost data are reported.
    if !isFlushed && [EIO, ENOSPC, EDQUOT].contains(code) {
      throw FileError.unwritable(path: path, reason: systemReason(code))
    }
  }

  /// Whether there is a folder at `path`.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The parent folder of `path`, from its text alone; "." if it has none.
  package static func parent(of path: String) -> String {
    let (parent, _) = split(path)
    return parent
  }

  /// The parent folder of `path` and its last component, without trailing slashes.
  static func split(_ path: String) -> (parent: String, name: String) {
    var rest = Substring(path)
    while rest.count > 1 && rest.hasSuffix("/") { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return (".", String(rest)) }
    let name = String(rest[rest.index(after: slash)...])
    return (slash == rest.startIndex ? "/" : String(rest[..<slash]), name)
  }

  /// The path of `name` in `folder`, the reverse of `split`.
  static func join(_ folder: String, _ name: String) -> String {
    (folder == "/" ? "" : folder) + "/" + name
  }

  /// The absolute path without symbolic links and dots; nil if `path` does not exist.
  static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// The last component of a path.
func fileName(_ path: String) -> String { Folder.split(path).name }
