import Glibc

/// A function that is called with the name of an event before every new folder, write, flush and
/// rename of an output.
///
/// Tests throw from it or kill the program in it.
package typealias FaultHook = @Sendable (_ event: String) throws -> Void

/// A new file whose bytes are on the disk after `finish`.
///
///     let file = try DurableFile(path: path)
///     try file.write(bytes)
///     let checksum = try file.finish()
///
/// A file that was not finished may be torn or empty after a crash. Write it inside an
/// `AtomicFolder` or under the temporary name of an `AtomicFile`.
package final class DurableFile {
  package let path: String
  /// The bytes written so far.
  package private(set) var size = 0
  private let fault: FaultHook
  private let descriptor: Int32
  private var isOpen = true
  private var checksum = CRC32C()

  /// Creates the file, or truncates an existing one; throws `FileError.unwritable`.
  package init(path: String, fault: @escaping FaultHook = { _ in }) throws {
    self.path = path
    self.fault = fault
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      isOpen = false
      throw FileError.unwritable(path: path, reason: systemReason())
    }
  }

  deinit { if isOpen { close(descriptor) } }

  /// Writes a complete file, flushes it, and returns the CRC-32C of its bytes.
  @discardableResult
  package static func write(
    _ bytes: [UInt8], to path: String, fault: @escaping FaultHook = { _ in }
  ) throws -> UInt32 {
    let file = try DurableFile(path: path, fault: fault)
    try file.write(bytes)
    return try file.finish()
  }

  /// Copies the file `source` to `path`, flushes the copy, and returns the CRC-32C of its bytes.
  ///
  /// Throws `FileError.missing`, `FileError.unreadable` or `FileError.unwritable`.
  @discardableResult
  package static func copy(
    _ source: String, to path: String, fault: @escaping FaultHook = { _ in }
  ) throws -> UInt32 {
    let input = open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw FileError.reading(source) }
    defer { close(input) }
    let file = try DurableFile(path: path, fault: fault)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = readBytes(buffer.count, from: input, into: &buffer)
      guard count >= 0 else { throw FileError.reading(source) }
      if count == 0 { break }
      try buffer.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    return try file.finish()
  }

  /// Appends bytes; throws `FileError.unwritable`.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try fault("write \(fileName(path))")
    checksum.add(bytes)
    try writeAll(bytes, to: descriptor, of: path)
    size += bytes.count
  }

  /// Appends bytes; throws `FileError.unwritable`.
  package func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  /// Flushes the file to the disk, closes it, and returns the CRC-32C of its bytes.
  @discardableResult
  package func finish() throws -> UInt32 {
    try fault("flush \(fileName(path))")
    isOpen = false
    // EINVAL: pipes and devices have nothing to flush.
    let code = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno
    guard close(descriptor) == 0, code == 0 else {
      throw FileError.unwritable(path: path, reason: systemReason(code == 0 ? errno : code))
    }
    return checksum.value
  }

  /// Overwrites the first bytes of the file with `header`, then flushes and closes it.
  ///
  /// The header is written last because its presence marks the file as complete.
  package func finish(header: [UInt8]) throws {
    precondition(header.count <= size, "\(path): the header is longer than the reserved space")
    try fault("write the header of \(fileName(path))")
    let written = header.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == header.count else {
      throw FileError.unwritable(path: path, reason: systemReason())
    }
    try finish()
  }
}

/// Writes all of `bytes` to a descriptor; errors name `path`.
func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, of path: String
) throws(FileError) {
  var done = 0
  while done < bytes.count {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
    let count = write(descriptor, rest.baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { throw .unwritable(path: path, reason: systemReason()) }
    done += count
  }
}
