import Glibc

/// Adds bytes to files that grow line by line, such as logs.
///
/// Nothing is flushed to the disk: after a crash of the system the end may be torn or missing, which
/// readers of such files expect.
package enum AppendingFile {
  /// Adds `bytes` at the end of the file, which is created when it is missing.
  ///
  /// Bytes of two programs are not mixed. Throws `unwritable`; a part of the bytes may be written then.
  package static func append(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    defer { close(descriptor) }
    try bytes.withUnsafeBytes { try writeAll($0, to: descriptor, of: path) }
  }
}
