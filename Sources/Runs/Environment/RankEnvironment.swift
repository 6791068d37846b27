import Platform
import Tensors

/// The host, processors, memory and network of a rank.
package struct RankEnvironment: Codable {
  package var host = hostName()
  /// Worker threads.
  package var threads = 1
  /// Whether each thread is pinned to a processor.
  package var isPinned = true
  /// The number of processors that the ranks of this host may use, all together.
  package var processors = 1
  /// The number of cores of these processors; hardware threads of one core count once.
  package var cores = 1
  /// The number of processors that the launcher of the ranks may use.
  package var launcherProcessors = 1
  package var processorType = ""
  /// The free memory of the host in bytes; nil where the system does not report it.
  package var freeMemory: Int?
  /// The network interfaces of TCP connections to other ranks.
  package var interfaces: [String] = []
  /// Likely mistakes and shortages, a sentence each.
  package var notes: [String] = []

  package init() {}
}

extension RankEnvironment {
  /// The environment of this rank; memory is compared with `cost` where it is given.
  init(_ layout: RankLayout, _ cost: RunCost?) {
    threads = layout.processors.count
    isPinned = layout.processors.allSatisfy { $0 >= 0 }
    processors = layout.processorsOnHost.count
    cores = HostResources.cores(among: layout.processorsOnHost)
    launcherProcessors = HostResources.processorsOfLauncher ?? processors
    processorType = HostResources.processorType ?? MatrixLibrary.coreName
    freeMemory = HostResources.freeMemory
    interfaces = NetworkInterfaces.inUse
    let shortage = layout.isFirstOnHost ? cost?.memoryShortage(layout) : nil
    notes = [layout.warning, shortage].compactMap(\.self)
  }
}
