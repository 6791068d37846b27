import Collectives
import Layers

/// The memory and network traffic of a run in bytes, by kind, computed before it starts.
///
///     let estimate = ResourceEstimate(
///       layout: model.layout, partition: partition, sliceCount: 8, workers: 2,
///       activations: floats, packedWeights: 0)
///     estimate.memory      // bytes of rank zero, which needs most
///
/// It is computed from the layout, the tree and the partition of the run, not measured. Where ranks
/// differ, a value is the largest over all ranks.
package struct ResourceEstimate: Sendable {
  /// One copy of the flat vector.
  package let weights: Int
  /// The packed matrices, which the workers of a rank share (`Weights.packedBytes`).
  package let packedWeights: Int
  /// Both moments of the parts that a rank owns.
  package let moments: Int
  /// The partial sums of all workers of a rank.
  package let gradients: Int
  /// The activations of all workers of a rank.
  package let activations: Int
  /// Receive buffers for other ranks' gradients.
  package let received: Int
  /// The snapshot that a checkpoint is written from, and the buffer of one received part.
  package let snapshot: Int
  /// A checkpoint on disk.
  package let checkpoint: Int
  /// The bytes that a rank sends in a step.
  package let sent: Int
  /// The ratio of `sent` to the bytes of an optimal all-reduce on as many ranks; 1 for one rank.
  package let excessTraffic: Double
  /// The longest chain of messages in a step.
  package let messages: Int

  /// The total memory of rank zero, which needs most.
  package var memory: Int {
    weights + packedWeights + moments + gradients + activations + received + snapshot
      + Self.program
  }

  /// An allowance for the program, its libraries and MPI.
  package static let program = 40_000_000

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - partition: the parts of the vector that each rank owns.
  ///   - sliceCount: the slices of a step; a power of two.
  ///   - workers: the workers of a rank.
  ///   - activations: the floats of one worker's activations.
  ///   - packedWeights: the bytes of a rank's packed matrices (`Weights.packedBytes`).
  package init(
    layout: ParameterLayout, partition: Partition, sliceCount: Int, workers: Int,
    activations: Int, packedWeights: Int
  ) {
    let (bytes, ranks) = (MemoryLayout<Float>.stride, partition.rankCount)
    let tree = ReductionTree(sliceCount: sliceCount)
    let traffic = Exchange.traffic(tree: tree, partition: partition)
    let held = (0..<ranks).map { rank in
      let slices = tree.slices(of: rank, of: ranks)
      return (0..<workers).reduce(0) { sum, worker in
        let share = ReductionTree.share(slices, of: worker, of: workers)
        return sum + PartialSums.gradientCount(slices: share)
      }
    }
    weights = bytes * layout.count
    self.packedWeights = packedWeights
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
  /// Makes the partition of a model's flat vector among `rankCount` ranks.
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
