import Foundation
import Platform
import Synchronization

/// Standard output: verbs print to it in this way only, so that no failure passes unseen.
///
/// `print` collects lines and `flush` writes them. `reportingErrors` and `runOnAllRanks` flush at the end
/// of a verb, and before they report an error; a verb that answers while it reads also flushes itself.
enum StandardOutput {
  private static let pending = Mutex<[UInt8]>([])

  /// Whether a person reads along.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) != 0 }

  /// Prints a line.
  static func print(_ line: String) { print(line.utf8) }

  /// Prints a line of bytes.
  static func print(_ line: some Sequence<UInt8>) {
    pending.withLock { pending in
      pending += line
      pending.append(UInt8(ascii: "\n"))
    }
  }

  /// Writes the printed lines if they have more bytes than `limit`; lines that cannot be written are
  /// dropped. Throws `OutputError`.
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

/// Why standard output cannot be written.
enum OutputError: Error, Equatable, CustomStringConvertible {
  /// Its reader has ended, as `head` does after enough lines: not a failure, but the end of the work.
  case closed
  case failed(reason: String)

  var description: String {
    switch self {
    case .closed: "the reader of standard output has ended"
    case .failed(let reason): "cannot write to standard output: \(reason)"
    }
  }
}

/// Opens those of the three standard descriptors that are closed, so that no file of the program gets
/// such a number and, with it, what is printed. Reads and writes still fail.
func reserveStandardDescriptors() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    // `open` returns the lowest free number, which is this one.
    _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
  }
}
