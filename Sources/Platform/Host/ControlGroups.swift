/// The control groups (cgroups) of this process, of version 1 and 2, with their visible ancestors.
///
/// Every group may have limits; the smallest one counts.
///
///     let groups = ControlGroups()
///     groups.processorQuota      // processors' worth of time; nil for no limit
///     groups.freeMemory          // bytes until the nearest limit
package struct ControlGroups {
  // Folders from the process's group up to the root: version 1 by controller, then version 2
  // (unified).
  private var memoryV1: [String] = []
  private var processorsV1: [String] = []
  private var unified: [String] = []

  /// Finds the groups from the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`.
  package init(
    membership: String = kernelFile("/proc/self/cgroup") ?? "",
    mounts: String = kernelFile("/proc/self/mountinfo") ?? ""
  ) {
    // Lines are "4:memory:/path"; in version 2 the list of controllers is empty.
    var paths: [String: String] = [:]
    for line in membership.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        paths[String(controller)] = String(parts[2])
      }
    }
    for line in mounts.split(separator: "\n") {
      guard let mount = Mount(line) else { continue }
      if mount.type == "cgroup2" { unified += mount.folders(downTo: paths[""] ?? "/") }
      if mount.options.contains("memory") {
        memoryV1 += mount.folders(downTo: paths["memory"] ?? "/")
      }
      if mount.options.contains("cpu") {
        processorsV1 += mount.folders(downTo: paths["cpu"] ?? "/")
      }
    }
  }

  /// A mounted hierarchy of groups.
  private struct Mount {
    /// The group that is mounted at `point`.
    let root: Substring
    let point: Substring
    let type: Substring
    let options: [Substring]

    /// Parses "31 23 0:28 ROOT POINT rw shared:7 - cgroup cgroup rw,memory"; nil for other file
    /// systems.
    init?(_ line: Substring) {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3,
        ["cgroup", "cgroup2"].contains(fields[dash + 1])
      else { return nil }
      (root, point, type) = (fields[3], fields[4], fields[dash + 1])
      options = fields[dash + 3].split(separator: ",")
    }

    /// The folders of the group at `path` and of its ancestors, the group itself first.
    ///
    /// In a container, `path` may lie outside `root`; such a group is not visible here.
    func folders(downTo path: String) -> [String] {
      let steps = path.split(separator: "/")
      let above = root.split(separator: "/")
      let below = steps.starts(with: above) ? Array(steps.dropFirst(above.count)) : steps
      return (0...below.count).reversed().map { count in
        ([String(point)] + below.prefix(count).map(String.init)).joined(separator: "/")
      }
    }
  }

  /// The processor time that the groups grant, in whole processors, at least one; nil for no limit.
  package var processorQuota: Int? {
    let new = unified.compactMap { folder in
      kernelFile(folder + "/cpu.max").flatMap { text in
        let parts = text.split(whereSeparator: \.isWhitespace).map { Int($0) }
        return parts.count == 2 ? Self.share(parts[0], of: parts[1]) : nil
      }
    }
    let old = processorsV1.compactMap { folder in
      Self.share(
        Self.number(folder + "/cpu.cfs_quota_us"), of: Self.number(folder + "/cpu.cfs_period_us"))
    }
    return (new + old).min()
  }

  private static func share(_ quota: Int?, of period: Int?) -> Int? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return max(1, quota / period)
  }

  /// Bytes up to the nearest memory limit; nil for no limit.
  ///
  /// Inactive page cache counts as free, because the kernel reclaims it.
  package var freeMemory: Int? {
    let new = unified.compactMap { folder in
      Self.free(
        limit: folder + "/memory.max", used: folder + "/memory.current", key: "inactive_file",
        statistics: folder + "/memory.stat")
    }
    let old = memoryV1.compactMap { folder in
      Self.free(
        limit: folder + "/memory.limit_in_bytes", used: folder + "/memory.usage_in_bytes",
        key: "total_inactive_file", statistics: folder + "/memory.stat")
    }
    return (new + old).min()
  }

  private static func free(
    limit: String, used: String, key: String, statistics: String
  ) -> Int? {
    // Version 1 represents "no limit" by the largest number of whole pages.
    guard let limit = number(limit), limit < 1 << 60, let used = number(used) else { return nil }
    let line = (kernelFile(statistics) ?? "").split(separator: "\n").first {
      $0.hasPrefix(key + " ")
    }
    let cached = line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    return max(0, limit - (used - cached))
  }

  private static func number(_ path: String) -> Int? {
    kernelFile(path)?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }
}
