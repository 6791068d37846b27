import Foundation
import Platform

/// Blocks of bytes in an unnamed temporary file: the tokens that a rank keeps until they are
/// written to shards.
///
/// The file is removed as soon as it is open, so that nothing is left of it however the program
/// ends.
package final class TokenSpool {
  private let descriptor: Int32
  private let path: String
  private var size = 0

  /// Creates the file in `folder`; throws `FileError.unwritable`.
  package init(folder: String = TokenSpool.temporaryFolder) throws {
    // `mkstemp` replaces each X.
    var name = Array("\(folder)/electra-tokens-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    path = folder
    guard descriptor >= 0 else {
      throw FileError.unwritable(path: folder, reason: "\(systemReason()); set TMPDIR")
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(name)
  }

  deinit { close(descriptor) }

  /// The folder of the environment variable TMPDIR; `/tmp` without one.
  package static var temporaryFolder: String {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
    return folder.isEmpty ? "/tmp" : folder
  }

  /// Appends a block and returns its range of bytes; throws `FileError.unwritable`.
  package func append(_ bytes: [UInt8]) throws -> Range<Int> {
    let start = size
    while size < start + bytes.count {
      let count = bytes.withUnsafeBytes {
        pwrite(
          descriptor, $0.baseAddress.map { $0 + (size - start) }, start + bytes.count - size, size)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw FileError.unwritable(
          path: path,
          reason: "\(systemReason()); the tokens of this rank need more space there, set TMPDIR")
      }
      size += count
    }
    return start..<size
  }

  /// The bytes of a block; throws `FileError.unreadable`.
  package func read(_ range: Range<Int>) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < range.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress.map { $0 + done }, range.count - done, range.lowerBound + done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw FileError.reading(path) }
      done += count
    }
    return bytes
  }
}
