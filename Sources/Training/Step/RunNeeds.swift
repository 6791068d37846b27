import Collectives
import Layers

/// What a run takes of a machine, by kind and in bytes, known before it is started: computed from the
/// same layout, tree and partition that the run will use.
package struct RunNeeds: Sendable {
  package let weights: Int
  package let moments: Int
  package let gradients: Int
  package let activations: Int
  /// Pieces of other ranks' gradients that are waiting to be added.
  package let received: Int
  /// The snapshot that a checkpoint is written from, and the part that is on its way.
  package let snapshot: Int
  /// A checkpoint on disk.
  package let checkpoint: Int
  /// Sent in a step by the rank that sends most.
  package let sent: Int
  /// How many times the bytes are sent that would do on as many ranks with one sum each.
  package let excessTraffic: Double
  /// Messages that follow each other in a step.
  package let messages: Int

  /// All memory of rank zero, which needs most.
  package var memory: Int {
    weights + moments + gradients + activations + received + snapshot + Self.program
  }

  /// The program itself, its libraries and MPI.
  package static let program = 40_000_000

  /// - Parameters:
  ///   - regions: ranges of the vector in the order in which they become final.
  ///   - workers: workers a rank.
  ///   - activations: floats that a worker's activations take.
  package init(
    layout: ParameterLayout, regions: [Range<Int>], sliceCount: Int, ranks: Int, workers: Int,
    activations: Int
  ) {
    let bytes = MemoryLayout<Float>.stride
    let tree = ReductionTree(sliceCount: sliceCount)
    let partition = Partition(
      regions: regions, blockBoundaries: layout.blockBoundaries, rankCount: ranks)
    let traffic = Exchange.traffic(tree: tree, partition: partition)
    let held = (0..<ranks).map { rank in
      let run = tree.run(of: rank, of: ranks)
      return (0..<workers).reduce(0) { sum, worker in
        let own = ReductionTree.share(run, of: worker, of: workers)
        return sum + PartialSums.gradientCount(slices: own)
      }
    }
    weights = bytes * layout.count
    moments = 2 * bytes * ((0..<ranks).map { partition.ownedCount(of: $0) }.max() ?? 0)
    gradients = bytes * layout.count * (held.max() ?? 0)
    self.activations = bytes * workers * activations
    received = bytes * traffic.received
    snapshot = weights + moments + bytes * (ranks > 1 ? partition.largestPart : 0)
    checkpoint = 3 * bytes * layout.parameterCount
    sent = bytes * (traffic.sent.max() ?? 0)
    let least = 2 * Double(weights) * Double(ranks - 1) / Double(ranks)
    excessTraffic = ranks > 1 ? Double(sent) / least : 1
    messages = traffic.messages
  }
}
