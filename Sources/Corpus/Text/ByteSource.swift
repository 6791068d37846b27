import Foundation

/// A stream of bytes: a file, standard input, or what a system program unpacks.
package final class ByteSource {
  let path: String
  /// The compressed or plain bytes of the file, for the progress; 0 when not known.
  let fileSize: Int
  private let descriptor: Int32
  private let unpacker: Process?
  private let program: String

  /// Opens `path`; `-` is standard input, `.gz` and `.xz` go through the system's programs.
  package init(path: String) throws(CorpusError) {
    self.path = path
    fileSize = path == "-" ? 0 : Self.size(path)
    switch (path == "-", (path as NSString).pathExtension) {
    case (true, _): (descriptor, unpacker, program) = (0, nil, "")
    case (_, "gz"): (descriptor, unpacker, program) = try Self.unpack(path, with: "gzip")
    case (_, "xz"): (descriptor, unpacker, program) = try Self.unpack(path, with: "xz")
    default:
      (descriptor, unpacker, program) = (open(path, O_RDONLY), nil, "")
      guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    }
  }

  deinit {
    if descriptor > 0 { close(descriptor) }
    if let unpacker, unpacker.isRunning { unpacker.terminate() }
  }

  /// Whether a program unpacks it.
  var isPacked: Bool { unpacker != nil }

  /// Appends up to `count` bytes to `bytes`; false at the end.
  package func read(_ count: Int, into bytes: inout [UInt8]) throws(CorpusError) -> Bool {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    var got = 0
    repeat {
      got = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress.map { $0 + start }, count)
      }
    } while got < 0 && errno == EINTR
    let reason = got < 0 ? systemReason() : ""
    bytes.removeLast(count - max(0, got))
    guard got >= 0 else { throw .unreadable(path: path, reason: reason) }
    if got == 0 { try finish() }
    return got > 0
  }

  /// At the end of a packed file its program must be content.
  private func finish() throws(CorpusError) {
    guard let unpacker else { return }
    unpacker.waitUntilExit()
    let status = unpacker.terminationStatus
    if status == 0 { return }
    // 127 is what `env` says of a program that it cannot find.
    let reason =
      status == 127
      ? "the program is not installed" : "the file is damaged or cut short (exit status \(status))"
    throw .decompressionFailed(path: path, program: program, reason: reason)
  }

  private static func unpack(
    _ path: String, with program: String
  ) throws(CorpusError) -> (Int32, Process?, String) {
    guard access(path, R_OK) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, "-dc", "--", path]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw .decompressionFailed(
        path: path, program: program, reason: "the program cannot be started")
    }
    return (dup(pipe.fileHandleForReading.fileDescriptor), process, program)
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }
}

/// The last system error, in words.
func systemReason() -> String { String(cString: strerror(errno)) }
