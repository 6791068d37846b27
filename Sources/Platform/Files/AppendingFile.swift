import Glibc

/// Appends bytes to files that grow line by line, such as logs.
///
/// Nothing is flushed to the disk. After a system crash the end of the file may be torn or missing;
/// readers of such files must expect that.
package enum AppendingFile {
  /// Appends `bytes` to the file and creates it when it is missing.
  ///
  /// The file is opened with `O_APPEND`, so that two programs do not overwrite each other's bytes.
  /// Throws `FileError.unwritable`; the file then has none of the bytes.
  package static func append(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    defer { close(descriptor) }
    var before = stat()
    let isKnown = fstat(descriptor, &before) == 0
    do {
      try bytes.withUnsafeBytes { try writeAll($0, to: descriptor, of: path) }
    } catch {
      // A full disk takes a part of a line, which would spoil the next line that it takes.
      if isKnown { _ = ftruncate(descriptor, before.st_size) }
      throw error
    }
  }
}
