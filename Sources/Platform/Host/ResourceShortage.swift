import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Ends the program when the system refuses memory or a thread.
///
/// It prints one message and exits with `status`, wherever the shortage is found. Such a rank
/// cannot reach the next collective call to agree on an error with the others; the launcher ends
/// them because of the exit status.
package enum ResourceShortage {
  /// The exit status: EX_OSERR, an operating system error (sysexits.h).
  package static let status: Int32 = 71

  /// Set by the first thread that finds a shortage; only that thread prints its message.
  private static let isReported = Mutex(false)

  /// Ends the program because `bytes` of memory were refused.
  package static func endWithoutMemory(bytes: Int) -> Never {
    end(
      "out of memory on \(hostName()): \(megabytes(bytes)) more are needed\(addressSpace); use fewer "
        + "--threads, a smaller batch or more ranks, or raise the memory limit")
  }

  /// Ends the program because a thread was refused with this error number.
  package static func endWithoutThread(error: Int32) -> Never {
    end(
      "no thread can be started on \(hostName()): \(systemReason(error))\(addressSpace); "
        + "use fewer --threads, or raise the limit on processes (ulimit -u, the container's pids limit) "
        + "or on memory")
  }

  private static func end(_ sentence: String) -> Never {
    isReported.withLock { isReported in
      guard !isReported else { return }
      isReported = true
      let line = Array("electra: \(sentence)\n".utf8)
      _ = write(STDERR_FILENO, line, line.count)
      _exit(status)
    }
    while true { pause() }
  }

  /// A clause on the limit of the address space; empty without a limit.
  private static var addressSpace: String {
    guard let limit = HostResources.addressSpaceLimit else { return "" }
    return ", and ulimit -v allows \(megabytes(limit)) in total"
  }

  private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
}
