import Collectives
import Layers
import Tensors

/// The memory and network traffic of a run in bytes, by kind, computed before it starts.
///
///     let estimate = ResourceEstimate(
///       layout: model.layout, arithmetic: .float32, partition: partition,
///       settings: configuration.trainerSettings, workers: 2, activations: floats)
///     estimate.memory      // bytes of rank zero, which needs most
///
/// It is computed from the layout, the tree and the partition of the run, not measured. Where ranks
/// differ, a value is the largest over all ranks.
package struct ResourceEstimate: Sendable {
  /// One copy of the flat vector.
  package let weights: Int
  /// The packed matrices, which the workers of a rank share (`Weights.packedBytes`).
  package let packedWeights: Int
  /// The moments of the parts that a rank owns.
  package let moments: Int
  /// The partial sums of all workers of a rank.
  package let gradients: Int
  /// The activations of all workers of a rank.
  package let activations: Int
  /// The buffers of the exchange, most of them for other ranks' gradients.
  package let received: Int
  /// Muon's buffers and the temporary memory of its workers; 0 for Adam.
  package let orthogonalization: Int
  /// The snapshot of a rank's parts that a checkpoint is written from, and the buffer of one
  /// received part.
  package let snapshot: Int
  /// A checkpoint on disk.
  package let checkpoint: Int
  /// The bytes that a rank sends in a step.
  package let sent: Int
  /// The ratio of the bytes that a rank sends to those with one sum per rank; 1 for one rank.
  ///
  /// Without the messages of Muon, which do not depend on the number of sums.
  package let excessTraffic: Double
  /// The longest chain of messages in a step.
  package let messages: Int

  /// The total memory of rank zero, which needs most.
  package var memory: Int {
    weights + packedWeights + moments + gradients + activations + received + orthogonalization
      + snapshot + Self.program
  }

  /// An allowance for the program, its libraries and MPI.
  package static let program = 40_000_000

  /// - Parameters:
  ///   - layout: the parameters of the flat vector.
  ///   - arithmetic: of matrix products.
  ///   - partition: the parts of the vector that each rank owns.
  ///   - settings: the slices of a step, and how gradients and weights are sent.
  ///   - workers: the workers of a rank.
  ///   - activations: the floats of one worker's activations.
  package init(
    layout: ParameterLayout, arithmetic: Arithmetic, partition: Partition,
    settings: TrainerSettings, workers: Int, activations: Int
  ) {
    let (bytes, ranks) = (MemoryLayout<Float>.stride, partition.rankCount)
    let tree = settings.tree
    let format = settings.gatherFormat(layout, arithmetic)
    let traffic = ExchangeTraffic(tree: tree, partition: partition, format: format)
    let held = (0..<ranks).map { rank in
      let slices = tree.slices(of: rank, of: ranks)
      return (0..<workers).reduce(0) { sum, worker in
        let share = ReductionTree.share(slices, of: worker, of: workers)
        return sum + PartialSums.gradientCount(slices: share)
      }
    }
    weights = bytes * layout.count
    packedWeights = Weights.packedBytes(layout, arithmetic)
    let matrices = settings.matrices(of: layout)
    let states = (0..<ranks).map {
      StateCount(partition, rank: $0, matrices: MatrixRanges(matrices))
    }
    moments = bytes * (states.map(\.moments).max() ?? 0)
    gradients = bytes * layout.count * (held.max() ?? 0)
    self.activations = bytes * workers * activations
    received = traffic.buffers
    let plan = MatrixPlan(matrices, partition)
    let buffers = (0..<ranks).map { plan.sentCount(of: $0) }
    orthogonalization = bytes * ((buffers.max() ?? 0) + workers * plan.scratchCount)
    snapshot =
      bytes * (states.map { $0.moments + $0.weights }.max() ?? 0)
      + bytes * (ranks > 1 ? partition.largestPart : 0)
    checkpoint = bytes * (3 * layout.parameterCount - matrices.reduce(0) { $0 + $1.count })
    sent = zip(traffic.sent, buffers).map { $0 + bytes * $1 }.max() ?? 0
    let communicated = settings.communicatedBytes(layout, arithmetic)
    let least = Double(communicated) * Double(ranks - 1) / Double(ranks)
    excessTraffic = ranks > 1 ? Double(traffic.sent.max() ?? 0) / least : 1
    messages = traffic.messages + (matrices.isEmpty ? 0 : 2 * (ranks - 1))
  }
}

/// The floats of a rank's parts of the weights, and of their moments.
private struct StateCount {
  let weights: Int
  let moments: Int

  init(_ partition: Partition, rank: Int, matrices: MatrixRanges) {
    weights = partition.ownedCount(of: rank)
    moments = partition.buckets.indices.reduce(weights) {
      $0 + matrices.outsideCount(partition.part($1, of: rank))
    }
  }
}

extension Partition {
  /// Makes the partition of a model's flat vector among `rankCount` ranks.
  ///
  /// - Parameters:
  ///   - layout: the parameters of the vector.
  ///   - regions: ranges that cover it, in the order in which their gradients become final.
  ///   - rankCount: the number of ranks.
  ///   - ranksPerHost: as in `Communicator.ranksPerHost`.
  package init(
    _ layout: ParameterLayout, regions: [Range<Int>], rankCount: Int, ranksPerHost: Int = 1
  ) {
    self.init(
      regions: regions, blockBoundaries: layout.blockBoundaries, rankCount: rankCount,
      ranksPerHost: ranksPerHost)
  }
}
