import Foundation

/// The free memory, disk space, processors, kernel and launcher of this rank on its host.
package enum HostResources {
  /// Bytes of memory that this process can still allocate; nil if unknown.
  ///
  /// It is the smallest of the system's available memory, the control groups' and the address
  /// space's.
  package static var freeMemory: Int? {
    let system = number(after: "MemAvailable:", in: "/proc/meminfo").map { $0 * 1024 }
    return [system, ControlGroups().freeMemory, freeAddressSpace].compactMap(\.self).min()
  }

  /// Bytes of address space left below `ulimit -v`; nil for no limit.
  private static var freeAddressSpace: Int? {
    guard let limit = addressSpaceLimit, let pages = number(after: "", in: "/proc/self/statm")
    else { return nil }
    return max(0, limit - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// The bytes of address space that `ulimit -v` allows; nil for no limit.
  static var addressSpaceLimit: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(Int.max)
    else { return nil }
    return Int(limit.rlim_cur)
  }

  /// Free bytes of the file system of `path`, which need not exist yet; nil if unknown.
  package static func freeDisk(at path: String) -> Int? {
    var url = URL(fileURLWithPath: path)
    while url.path != "/" && !FileManager.default.fileExists(atPath: url.path) {
      url.deleteLastPathComponent()
    }
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: url.path)
    return attributes?[.systemFreeSize] as? Int
  }

  /// The processor's model name; nil if unknown.
  package static var processorType: String? {
    lines(of: "/proc/cpuinfo").first { $0.hasPrefix("model name") }?
      .split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
  }

  /// The identifier of this boot of the kernel, with a line end; nil if it cannot be read.
  ///
  /// Containers of one machine have the same one.
  package static var bootIdentifier: String? { kernelFile("/proc/sys/kernel/random/boot_id") }

  /// The launcher of this rank according to the environment, and the number of ranks that it
  /// started; nil without a launcher.
  package static var launcher: (name: String, count: Int)? {
    for (variable, name) in [
      ("OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun"), ("PMI_SIZE", "an MPICH launcher"),
      ("SLURM_STEP_NUM_TASKS", "srun"),
    ] {
      if let text = getenv(variable), let count = Int(String(cString: text)) {
        return (name, count)
      }
    }
    return nil
  }

  /// How many processors the launcher of this rank may use; nil without a launcher.
  ///
  /// The launcher is the parent process. A rank that is bound to one processor reads here what the
  /// whole job may use on this host.
  package static var processorsOfLauncher: Int? {
    guard launcher != nil else { return nil }
    let key = "Cpus_allowed_list:"
    return lines(of: "/proc/\(getppid())/status").first { $0.hasPrefix(key) }.map {
      count(inList: $0.dropFirst(key.count).trimmingCharacters(in: .whitespaces))
    }
  }

  /// How many numbers a list in the kernel's notation has: 5 for `0-3,8`.
  package static func count(inList list: String) -> Int {
    list.split(separator: ",").reduce(0) { sum, part in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      return sum + (ends.isEmpty ? 0 : ends[ends.count - 1] - ends[0] + 1)
    }
  }

  /// How many physical cores these processors belong to; hardware threads of one core count once.
  package static func cores(among processors: [Int]) -> Int {
    let siblings = processors.map { processor in
      let file = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
      return lines(of: file).first ?? "\(processor)"
    }
    return Set(siblings).count
  }

  /// The lines of a file in /proc or /sys; empty if it cannot be read.
  static func lines(of path: String) -> [String] {
    (kernelFile(path) ?? "").split(separator: "\n").map(String.init)
  }

  /// The number that follows `key` on the first line that starts with it; nil if there is none.
  package static func number(after key: String, in path: String) -> Int? {
    guard let line = lines(of: path).first(where: { $0.hasPrefix(key) }) else { return nil }
    return line.dropFirst(key.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }
}
