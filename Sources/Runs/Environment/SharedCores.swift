import Collectives
import Foundation
import Platform

/// How many lanes of all ranks share a core, at least 1, on the machine where most do.
///
/// Containers and emulated hosts have names of their own but are one machine: the kernel's boot number
/// tells.
package func lanesPerCore(_ world: Communicator, lanes: Int) throws -> Double {
  let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id")
  let machines = try world.gather(boot.map { Array($0) } ?? Array(hostName().utf8))
  let processors = try world.gather(allowedProcessors().map { Int32($0) })
  let counts = try world.gather([lanes, ControlGroups().processorQuota ?? .max])
  var result = 1.0
  for machine in Set(machines) {
    let ranks = machines.indices.filter { machines[$0] == machine }
    let cores = min(
      Set(ranks.flatMap { processors[$0] }).count, ranks.map { counts[$0][1] }.min() ?? .max)
    let lanes = ranks.reduce(0) { $0 + counts[$1][0] }
    result = max(result, Double(lanes) / Double(max(1, cores)))
  }
  return result
}
