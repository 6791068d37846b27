import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory or a thread that the system refuses. It ends the program wherever it is found, with one
/// sentence and a status. A rank that cannot work cannot agree with the others on an error; launchers end
/// them when one rank has ended with a status.
package enum ResourceShortage {
  /// Operating system error (sysexits.h).
  package static let status: Int32 = 71

  /// Several threads may find it at once; only the first one has the word.
  private static let isReported = Mutex(false)

  /// Ends the program where `bytes` of memory were refused.
  package static func endWithoutMemory(bytes: Int) -> Never {
    end(
      "out of memory on \(hostName()): \(megabytes(bytes)) more are needed\(addressSpace); give fewer "
        + "--threads or a smaller batch, use more ranks, or raise the limit of the memory")
  }

  /// Ends the program where a thread was refused with this error number.
  package static func endWithoutThread(error: Int32) -> Never {
    end(
      "no thread can be started on \(hostName()): \(systemReason(error))\(addressSpace); "
        + "give fewer --threads, or raise the limit of processes (ulimit -u, the container's pids) or of "
        + "the memory")
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

  /// What the limit of the address space allows, where there is one.
  private static var addressSpace: String {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(Int.max)
    else { return "" }
    return ", and ulimit -v allows \(megabytes(Int(limit.rlim_cur))) in all"
  }

  private static func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
}
