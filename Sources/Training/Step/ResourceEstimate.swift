import Collectives
import Layers

/// The memory and traffic of a run, by kind and in bytes, known before it starts.
///
///     let estimate = ResourceEstimate(
///       layout: model.layout, partition: partition, sliceCount: 8, workers: 2, activations: floats)
///     estimate.memory      // of rank zero, which needs most
///
/// It is computed from the layout, the tree and the partition that the run will use, not measured.
/// Memory of kinds that differ between ranks is that of the rank with most.
package struct ResourceEstimate: Sendable {
  /// One copy of the flat vector.
  package let weights: Int
  /// Both moments of the parts that a rank owns.
  package let moments: Int
  /// The partial sums of all workers of a rank.
  package let gradients: Int
  /// The arenas of all workers of a rank.
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
  ///   - layout: the parameters of the flat vector.
  ///   - partition: who owns which part of it.
  ///   - sliceCount: the slices of a step; a power of two.
  ///   - workers: the workers of a rank.
  ///   - activations: the floats that a worker's activations take.
  package init(
    layout: ParameterLayout, partition: Partition, sliceCount: Int, workers: Int, activations: Int
  ) {
    let (bytes, ranks) = (MemoryLayout<Float>.stride, partition.rankCount)
    let tree = ReductionTree(sliceCount: sliceCount)
    let traffic = Exchange.traffic(tree: tree, partition: partition)
    let held = (0..<ranks).map { rank in
      let run = tree.run(of: rank, of: ranks)
      return (0..<workers).reduce(0) { sum, worker in
        let share = ReductionTree.share(run, of: worker, of: workers)
        return sum + PartialSums.gradientCount(slices: share)
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

extension Partition {
  /// The partition of a model's flat vector among `rankCount` ranks.
  ///
  /// - Parameters:
  ///   - layout: the parameters of the vector.
  ///   - regions: ranges that cover it, in the order in which their gradients become final.
  ///   - rankCount: the number of ranks.
  package init(_ layout: ParameterLayout, regions: [Range<Int>], rankCount: Int) {
    self.init(
      regions: regions, blockBoundaries: layout.blockBoundaries, rankCount: rankCount)
  }
}
