import Collectives
import Foundation
import Platform
import Tensors

/// The host, processors, memory and network of a rank.
package struct RankEnvironment: Codable {
  package var host = hostName()
  package var lanes = 1
  /// Whether each lane is kept to a processor of its own.
  package var isPinned = true
  /// The processors that the ranks of this host may use, all together.
  package var processors = 1
  /// The cores that these are: hardware threads of one core count once.
  package var cores = 1
  /// The processors that the ranks' launcher may use.
  package var launcherProcessors = 1
  package var processorType = ""
  /// Bytes that programs of this host can still have; nil where the system does not say.
  package var freeMemory: Int?
  /// The interfaces through which TCP goes to other ranks.
  package var interfaces: [String] = []
  /// What is wrong with this rank.
  package var notes: [String] = []

  package init() {}
}

extension RankEnvironment {
  /// Those of this rank.
  init(_ layout: RankLayout, _ cost: RunCost) {
    lanes = layout.processors.count
    isPinned = layout.processors.allSatisfy { $0 >= 0 }
    processors = layout.processorsOnHost.count
    cores = HostResources.cores(among: layout.processorsOnHost)
    launcherProcessors = HostResources.processorsOfLauncher ?? processors
    processorType = HostResources.processorType ?? MatrixLibrary.coreName
    freeMemory = HostResources.freeMemory
    interfaces = NetworkInterfaces.inUse
    let shortage = layout.isFirstOnHost ? cost.memoryShortage(layout) : nil
    notes = [layout.warning, shortage].compactMap(\.self)
  }

  /// The environments of all ranks, in their order.
  ///
  /// Every rank must call it.
  func gathered(_ world: Communicator) throws -> [RankEnvironment] {
    try world.gather(Array(try JSONEncoder().encode(self))).map {
      try JSONDecoder().decode(RankEnvironment.self, from: Data($0))
    }
  }
}
