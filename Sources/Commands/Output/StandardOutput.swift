import Foundation
import Platform
import Synchronization

/// Standard output, with every failed write reported as an error.
///
/// All commands print through it. `print` collects lines and `flush` writes them. `reportingErrors`
/// and `runOnAllRanks` flush at the end of a command and before they report an error. A command
/// that prints while it reads its input also flushes itself.
enum StandardOutput {
  private static let pending = Mutex<[UInt8]>([])

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) != 0 }

  /// Adds a line to the pending output.
  static func print(_ line: String) { print(line.utf8) }

  /// Adds a line of bytes to the pending output.
  static func print(_ line: some Sequence<UInt8>) {
    pending.withLock { pending in
      pending += line
      pending.append(UInt8(ascii: "\n"))
    }
  }

  /// Writes the pending lines if they have more than `limit` bytes.
  ///
  /// Lines that cannot be written are dropped. Throws `OutputError`.
  static func flush(above limit: Int = 0) throws(OutputError) {
    let bytes = pending.withLock { pending in
      if pending.count <= limit { return [UInt8]() }
      defer { pending = [] }
      return pending
    }
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(STDOUT_FILENO, $0.baseAddress.map { $0 + start }, $0.count - start)
      }
      let code = errno
      if count >= 0 {
        start += count
      } else if code == EAGAIN {
        // Another program has made the pipe or terminal non-blocking.
        var room = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        poll(&room, 1, -1)
      } else if code != EINTR {
        throw code == EPIPE ? .closed : .failed(reason: systemReason(code))
      }
    }
  }
}

/// A failed write to standard output.
enum OutputError: Error, Equatable, CustomStringConvertible {
  /// The reader closed the pipe, as `head` does after enough lines; the command then ends with
  /// success.
  case closed
  case failed(reason: String)

  var description: String {
    switch self {
    case .closed: "the reader closed standard output"
    case .failed(let reason): "cannot write to standard output: \(reason)"
    }
  }
}

/// Opens the standard descriptors that are closed, so that reads and writes on them still fail.
///
/// Otherwise a file that the program opens would get such a number, and printed text would go into
/// it.
func reserveStandardDescriptors() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    // `open` returns the lowest free number, which is this one.
    _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
  }
}
