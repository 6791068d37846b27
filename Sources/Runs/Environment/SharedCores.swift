import Collectives
import Platform

/// The largest number of worker threads per core on a machine, over all machines; at least 1.
///
/// Every rank must call it, with its number of `threads`. Containers and emulated hosts have host
/// names of their own but may run on one machine; ranks with the same boot number of the kernel
/// share a machine.
package func threadsPerCore(_ world: Communicator, threads: Int) throws -> Double {
  let machines = try world.gather(Array((HostResources.bootIdentifier ?? hostName()).utf8))
  let processors = try world.gather(allowedProcessors().map { Int32($0) })
  let counts = try world.gather([threads, ControlGroups().processorQuota ?? .max])
  var result = 1.0
  for machine in Set(machines) {
    let ranks = machines.indices.filter { machines[$0] == machine }
    let cores = min(
      Set(ranks.flatMap { processors[$0] }).count, ranks.map { counts[$0][1] }.min() ?? .max)
    let threads = ranks.reduce(0) { $0 + counts[$1][0] }
    result = max(result, Double(threads) / Double(max(1, cores)))
  }
  return result
}
