import Foundation
import Layers

/// What is called before every write, flush and rename of a save, with its name. Tests let it throw,
/// or end the program.
package typealias FaultHook = @Sendable (_ event: String) throws -> Void

/// A new file whose bytes are on the disk once it is finished.
///
///     let file = try DurableFile(path: path)
///     try file.write(bytes)
///     let checksum = try file.finish()
///
/// A file that was not finished may be torn or empty after a crash.
package final class DurableFile {
  private let path: String
  private let fault: FaultHook
  private let file: Int32
  private var isOpen = true
  private var checksum = Checksum()

  /// Creates the file; one of that name is emptied.
  package init(path: String, fault: @escaping FaultHook = { _ in }) throws {
    self.path = path
    self.fault = fault
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else {
      isOpen = false
      throw Self.failure(path)
    }
  }

  deinit { if isOpen { close(file) } }

  /// Adds bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try fault("write \((path as NSString).lastPathComponent)")
    checksum.add(bytes)
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = Foundation.write(file, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path) }
      done += count
    }
  }

  /// Flushes the file to the disk and closes it. Returns the CRC-32C of its bytes.
  @discardableResult
  package func finish() throws -> UInt32 {
    try fault("flush \((path as NSString).lastPathComponent)")
    isOpen = false
    let flushed = fsync(file)
    let reason = errno
    guard close(file) == 0, flushed == 0 else {
      throw Self.failure(path, flushed == 0 ? errno : reason)
    }
    return checksum.value
  }

  /// Makes a folder's list of names durable.
  package static func flush(folder: String, fault: FaultHook = { _ in }) throws {
    try fault("flush \((folder as NSString).lastPathComponent)")
    let descriptor = open(folder, O_RDONLY)
    guard descriptor >= 0 else { throw failure(folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(folder) }
  }

  /// The error of the system call that just failed.
  private static func failure(_ path: String, _ number: Int32 = errno) -> CheckpointError {
    .unwritable(path: path, reason: String(cString: strerror(number)))
  }
}
