import Foundation
import Platform
import TestSupport
import Testing

/// The limits of the control group of a process and of its ancestors, in both versions.
struct ControlGroupsTests {
  /// Writes files of a group, as `name: contents`.
  private func group(_ files: [String: String], _ path: String, _ folder: TemporaryFolder) throws {
    for (name, contents) in files { try folder.write(contents + "\n", path + "/" + name) }
  }

  private func mount(_ root: String, _ point: String, _ type: String, _ options: String) -> String {
    "31 23 0:28 \(root) \(point) rw,relatime shared:7 - \(type) \(type) rw,\(options)\n"
  }

  @Test
  func theSmallestLimitOfNestedGroupsCounts() throws {
    let folder = try TemporaryFolder()
    try group(["cpu.max": "max 100000"], "job", folder)
    try group(
      [
        "cpu.max": "250000 100000", "memory.max": "1000", "memory.current": "900",
        "memory.stat": "anon 5\ninactive_file 300\nactive_file 50",
      ], "job/step", folder)
    try group(
      ["cpu.max": "400000 100000", "memory.max": "max", "memory.current": "100"],
      "job/step/task", folder)
    let groups = ControlGroups(
      membership: "0::/job/step/task\n", mounts: mount("/", folder.path, "cgroup2", "nsdelegate"))
    #expect(groups.processorQuota == 2)
    #expect(groups.freeMemory == 400)
  }

  /// As in a container that sees its own group as the root.
  @Test
  func limitsOfTheFirstVersionAreReadFromTheMountedGroupDown() throws {
    let folder = try TemporaryFolder()
    let unlimited = "9223372036854771712"
    try group(
      [
        "memory.limit_in_bytes": "5000", "memory.usage_in_bytes": "2000",
        "memory.stat": "inactive_file 1\ntotal_inactive_file 100",
      ], "memory", folder)
    try group(
      ["memory.limit_in_bytes": unlimited, "memory.usage_in_bytes": "10"], "memory/inner", folder)
    try group(["cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000"], "cpu", folder)
    try group(["cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"], "cpu/inner", folder)
    let groups = ControlGroups(
      membership: "4:memory:/docker/7/inner\n2:cpu,cpuacct:/docker/7/inner\n0::/\n",
      mounts: mount("/docker/7", folder.path + "/memory", "cgroup", "memory")
        + mount("/docker/7", folder.path + "/cpu", "cgroup", "cpu,cpuacct"))
    #expect(groups.freeMemory == 3100)
    #expect(groups.processorQuota == 1)
  }

  @Test
  func thereIsNoLimitWhereNoneIsWritten() throws {
    let folder = try TemporaryFolder()
    try group(
      ["cpu.max": "max 100000", "memory.max": "max", "memory.current": "1"], "", folder)
    for groups in [
      ControlGroups(membership: "", mounts: "1 2 0:5 / / rw - ext4 /dev/sda rw\n"),
      // A path outside what is mounted here.
      ControlGroups(
        membership: "0::/../other\n", mounts: mount("/", folder.path, "cgroup2", "rw")),
    ] {
      #expect(groups.processorQuota == nil)
      #expect(groups.freeMemory == nil)
    }
  }
}
