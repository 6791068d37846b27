import Tensors

/// An exchange of pieces within a group of ranks: each rank sends every other rank its range of the
/// pieces, and adds what arrives.
///
/// Pieces that the tree rounds are sent in bfloat16, the others in float32.
final class ExchangeStage: Sendable {
  private let group: Communicator
  private let tree: ReductionTree
  /// The subtrees that each rank of the group sends.
  private let inputs: [[ReductionTree.Node]]
  /// How to compute each output from the pieces of all ranks.
  private let plans: [SumPlan]
  /// The pieces of the other ranks, one after the other.
  private let received: Storage
  /// A rounded piece of this rank, while it is sent.
  private let sent: Storage

  /// - Parameters:
  ///   - group: the ranks, which the caller frees.
  ///   - tree: the slices of a step.
  ///   - inputs: the subtrees that each rank of the group has.
  ///   - outputs: the subtrees that every rank computes for its range.
  ///   - largestRange: the most floats of this rank's range.
  ///   - largestTotal: the most floats of all ranges together.
  init(
    _ group: Communicator, tree: ReductionTree, inputs: [[ReductionTree.Node]],
    outputs: [ReductionTree.Node], largestRange: Int, largestTotal: Int
  ) {
    self.group = group
    self.tree = tree
    self.inputs = inputs
    plans = outputs.map {
      guard let plan = SumPlan($0, of: tree, from: inputs.flatMap(\.self)) else {
        preconditionFailure("the pieces of the group do not make up \($0)")
      }
      return plan
    }
    let local = PieceCount(inputs[group.rank], tree)
    let all = PieceCount(inputs.flatMap(\.self), tree)
    received = Storage(count: (all - local).floats(largestRange))
    sent = Storage(count: group.size > 1 ? local.sentFloats(largestTotal) : 0)
  }

  /// Exchanges and adds pieces; every rank of the group must call it.
  ///
  /// - Parameters:
  ///   - pieces: this rank's inputs; each points to the first float of the first range.
  ///   - ranges: the range of each rank of the group, one after the other.
  ///   - outputs: the sums over this rank's range; a single output may be one of `pieces`.
  /// - Throws: `CollectivesError.callFailed`.
  func run(
    _ pieces: [UnsafeMutablePointer<Float>], ranges: [Range<Int>],
    into outputs: [UnsafeMutablePointer<Float>]
  ) throws(CollectivesError) {
    let (start, count) = (ranges[0].lowerBound, ranges[group.rank].count)
    // Pieces of this rank are used in place, those of other ranks are received one after another.
    var summands: [SumPlan.Summand] = []
    var offsets: [[Int]] = []
    var end = 0
    for (rank, nodes) in inputs.enumerated() {
      offsets.append([])
      for (index, node) in nodes.enumerated() {
        if rank == group.rank {
          summands.append(.float32(pieces[index] + (ranges[rank].lowerBound - start)))
          continue
        }
        offsets[rank].append(end)
        let source = UnsafeMutableRawPointer(received.base) + end
        summands.append(
          tree.isRounded(node)
            ? .bfloat16(source) : .float32(source.assumingMemoryBound(to: Float.self)))
        // Floats lie on multiples of four bytes.
        end += (tree.bytes(of: node, count: count) + 3) / 4 * 4
      }
    }
    for round in 0..<(inputs.map(\.count).max() ?? 0) where group.size > 1 {
      try exchange(round, pieces, ranges: ranges, offsets: offsets)
    }
    for (plan, output) in zip(plans, outputs) { plan.add(summands, count: count, into: output) }
  }

  /// Sends every rank its range of this rank's piece number `round`, and receives theirs.
  ///
  /// Ranks with fewer pieces take part in every round, with zero counts, because the call is
  /// collective. `offsets` has, for each rank, the offsets in `received` of its pieces, in bytes.
  private func exchange(
    _ round: Int, _ pieces: [UnsafeMutablePointer<Float>], ranges: [Range<Int>],
    offsets: [[Int]]
  ) throws(CollectivesError) {
    let nodes = inputs[group.rank]
    var message = UnsafeMutableRawPointer(received.base)
    if round < nodes.count {
      message =
        tree.isRounded(nodes[round])
        ? rounded(pieces[round], ranges) : UnsafeMutableRawPointer(pieces[round])
    }
    func bytes(from rank: Int, _ range: Range<Int>) -> Int32 {
      guard round < inputs[rank].count else { return 0 }
      return Int32(tree.bytes(of: inputs[rank][round], count: range.count))
    }
    // Displacements are relative to the first range: offsets in the vector may exceed an Int32.
    let start = ranges[0].lowerBound
    let ranks = ranges.indices
    try group.exchange(
      send: message,
      counts: ranks.map { $0 == group.rank ? 0 : bytes(from: group.rank, ranges[$0]) },
      displacements: ranges.map { bytes(from: group.rank, start..<$0.lowerBound) },
      receive: received.base,
      receiveCounts: ranks.map {
        $0 == group.rank ? 0 : bytes(from: $0, ranges[group.rank])
      },
      receiveDisplacements: offsets.map { round < $0.count ? Int32($0[round]) : 0 })
  }

  /// Rounds the ranges of the other ranks of a piece; the result has all ranges.
  private func rounded(
    _ piece: UnsafeMutablePointer<Float>, _ ranges: [Range<Int>]
  ) -> UnsafeMutableRawPointer {
    let target = UnsafeMutableRawPointer(sent.base)
    for (rank, range) in ranges.enumerated() where rank != group.rank {
      let offset = range.lowerBound - ranges[0].lowerBound
      roundFloats(piece + offset, count: range.count, into: target + 2 * offset)
    }
    return target
  }
}
