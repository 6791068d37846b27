import Foundation

/// A system program that decompresses a stream.
final class Decompressor {
  /// The decompressed bytes.
  let output: InputFile
  private var process: pid_t?

  /// Starts `program` on all of `input`, whose first bytes may have been inspected.
  ///
  /// Throws `FileError.unreadable` or `TextError.decompressionFailed`.
  init(_ program: String, path: String, input: InputFile) throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw FileError.unreadable(path: path, reason: systemReason())
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    output = InputFile(ends[0], path: path)
    defer { close(ends[1]) }
    let source =
      input.head.isEmpty
      ? input.descriptor : try Self.feed(input.head, input.descriptor, path)
    defer { if source != input.descriptor { close(source) } }
    process = try Self.start(program, path: path, input: source, output: ends[1])
  }

  deinit {
    if let process {
      kill(process, SIGTERM)
      _ = wait(process)
    }
  }

  /// Waits for the program's end; returns nil on success, otherwise the exit status.
  ///
  /// As in a shell, the status is 128 plus the signal number if a signal ended the program.
  func finish() -> Int32? {
    guard let process else { return nil }
    self.process = nil
    let status = wait(process)
    let signal = status & 0x7F
    let code = signal == 0 ? status >> 8 & 0xFF : 128 + signal
    return code == 0 ? nil : code
  }

  private func wait(_ process: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status
  }

  private static func start(
    _ program: String, path: String, input: Int32, output: Int32
  ) throws(TextError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    // Archives with long distances need a larger window than zstd allows without being asked.
    let options = program == "zstd" ? ["-dc", "--long=31"] : ["-dc"]
    var arguments = ([program] + options).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    let status = posix_spawnp(&process, program, &actions, nil, &arguments, environ)
    guard status == 0 else {
      let reason =
        status == ENOENT
        ? "the program is not installed"
        : "the program cannot be started: \(systemReason(status))"
      throw .decompressionFailed(path: path, program: program, reason: reason)
    }
    return process
  }

  /// A socket that delivers `head` and then the rest of `input`, for an input that cannot seek.
  private static func feed(
    _ head: [UInt8], _ input: Int32, _ path: String
  ) throws(FileError) -> Int32 {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw .unreadable(path: path, reason: systemReason())
    }
    let (target, source) = (ends[1], fcntl(input, F_DUPFD_CLOEXEC, 0))
    do {
      pthread_detach(
        try startThread {
          copy(head, source, to: target)
          close(source)
          close(target)
        })
    } catch {
      for end in ends + [source] { close(end) }
      throw .unreadable(path: path, reason: "\(error)")
    }
    return ends[0]
  }

  /// Sends `head` and all of `source` until the receiver closes the socket.
  private static func copy(_ head: [UInt8], _ source: Int32, to target: Int32) {
    var bytes = head
    while !bytes.isEmpty, sendAll(bytes, to: target) {
      bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        count = max(0, readBytes(1 << 16, from: source, into: buffer.baseAddress))
      }
    }
  }

  /// Sends all bytes; returns false if the receiver has closed the socket.
  private static func sendAll(_ bytes: [UInt8], to socket: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = send(
          socket, buffer.baseAddress.map { $0 + done }, buffer.count - done,
          Int32(MSG_NOSIGNAL))
        if count > 0 {
          done += count
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}
