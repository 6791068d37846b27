import Tensors

/// The communication of a step: a reduce-scatter of gradients and an all-gather of weights.
///
///     try exchange.exchange(bucket, pieces: gradients, into: sum)  // owners have their sums
///     update(part)                                                 // Adam on the owned part
///     try exchange.gather(bucket, weights)                         // all ranks have new weights
///
/// Together the two halves move as many bytes as an optimal all-reduce, and each moment exists on
/// one rank only (ZeRO stage 1, Rajbhandari et al. 2020). If the number of ranks is a power of two,
/// each rank has one piece of the `ReductionTree` (at most one, where ranks exceed slices);
/// otherwise ranks send more pieces so that the bits are the same.
///
/// All methods that communicate are collective, and one thread at a time may use an exchange, as
/// with its communicator.
package final class Exchange: Sendable {
  private let partition: Partition
  private let world: Communicator
  /// The subtrees of each rank.
  private let pieces: [[ReductionTree.Node]]
  private let plan: SumPlan
  /// A slot of `maximumPartCount` floats for each piece of the other ranks.
  private let received: Storage
  private let maximumPartCount: Int

  /// Allocates the receive buffer and plans the sum.
  ///
  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - partition: the buckets and the owners of their parts.
  ///   - world: a duplicate of the world for this exchange only, which `free` frees.
  package init(tree: ReductionTree, partition: Partition, world: Communicator) {
    let pieces = (0..<world.size).map {
      ReductionTree.pieces(of: tree.slices(of: $0, of: world.size))
    }
    guard let plan = SumPlan(tree.root, from: pieces.flatMap(\.self)) else {
      preconditionFailure("the ranges of the ranks do not cover the slices")
    }
    let parts = partition.buckets.indices.map { partition.part($0, of: world.rank).count }
    let slotCount = pieces.indices.reduce(0) { $0 + ($1 == world.rank ? 0 : pieces[$1].count) }
    maximumPartCount = parts.max() ?? 0
    received = Storage(count: slotCount * maximumPartCount)
    self.partition = partition
    self.world = world
    self.pieces = pieces
    self.plan = plan
  }

  /// Frees the communicator; collective.
  package func free() { world.free() }

  /// The predicted traffic of a step.
  ///
  /// `sent` is the number of floats that each rank sends: its pieces without its own parts, and the
  /// weights in the ring gather. `received` is the size of the largest receive buffer in floats.
  /// `messages` is the number of consecutive messages: for each bucket, every round of pieces takes
  /// one message per other rank (pairwise exchange), and so does the gather.
  package static func traffic(
    tree: ReductionTree, partition: Partition
  ) -> (sent: [Int], received: Int, messages: Int) {
    let size = partition.rankCount
    let pieces = (0..<size).map { ReductionTree.pieces(of: tree.slices(of: $0, of: size)).count }
    let count = partition.blockBoundaries.last ?? 0
    let sent = (0..<size).map { rank in
      let others = count - partition.ownedCount(of: rank)
      return pieces[rank] * others + others
    }
    let received = (0..<size).map { rank in
      let largest = partition.buckets.indices.map { partition.part($0, of: rank).count }.max() ?? 0
      return (pieces.reduce(0, +) - pieces[rank]) * largest
    }
    let rounds = pieces.max() ?? 1
    return (sent, received.max() ?? 0, partition.buckets.count * (rounds + 1) * (size - 1))
  }

  /// The subtrees whose sums this rank contributes, in order.
  package var localPieces: [ReductionTree.Node] { pieces[world.rank] }

  /// Adds the pieces of all ranks for this rank's part of `bucket` into `output`.
  ///
  /// - Parameters:
  ///   - bucket: the index of the bucket.
  ///   - gradients: whole vectors, one for each of `localPieces`.
  ///   - output: a whole vector, which may be one of `gradients`; only this rank's part is written.
  /// - Throws: `CollectivesError.callFailed`.
  package func exchange(
    _ bucket: Int, pieces gradients: [UnsafeMutablePointer<Float>],
    into output: UnsafeMutablePointer<Float>
  ) throws(CollectivesError) {
    let part = partition.part(bucket, of: world.rank)
    // The plan needs a pointer to each piece: those of this rank are used in place, those of other
    // ranks are received into consecutive slots.
    var slots: [[Int32]] = []
    var pointers: [UnsafeMutablePointer<Float>] = []
    var slotCount = 0
    for rank in pieces.indices {
      slots.append([])
      for index in pieces[rank].indices {
        if rank == world.rank {
          pointers.append(gradients[index] + part.lowerBound)
        } else {
          slots[rank].append(Int32(slotCount * maximumPartCount))
          pointers.append(received.base + slotCount * maximumPartCount)
          slotCount += 1
        }
      }
    }
    for round in 0..<(pieces.map(\.count).max() ?? 0) where world.size > 1 {
      try exchange(bucket, round: round, gradients, slots: slots)
    }
    plan.add(pointers, count: part.count, into: output + part.lowerBound)
  }

  /// Sends to every owner its part of this rank's piece number `round`, and receives theirs.
  ///
  /// Ranks with fewer pieces take part in every round, with zero counts, because the call is
  /// collective. `slots` has, for each rank, the offsets in `received` of its pieces.
  private func exchange(
    _ bucket: Int, round: Int, _ gradients: [UnsafeMutablePointer<Float>], slots: [[Int32]]
  ) throws(CollectivesError) {
    let ranks = 0..<world.size
    let sends = round < gradients.count
    let parts = ranks.map { partition.part(bucket, of: $0) }
    let receiveCount = Int32(parts[world.rank].count)
    // Displacements are relative to the bucket, because offsets in the vector may exceed an Int32.
    let start = parts[0].lowerBound
    try world.exchange(
      send: sends ? gradients[round] + start : received.base,
      counts: ranks.map { sends && $0 != world.rank ? Int32(parts[$0].count) : 0 },
      displacements: parts.map { sends ? Int32($0.lowerBound - start) : 0 },
      receive: received.base,
      receiveCounts: slots.map { round < $0.count ? receiveCount : 0 },
      receiveDisplacements: slots.map { round < $0.count ? $0[round] : 0 })
  }

  /// Copies the parts of `bucket` of `vector` from their owners to all ranks.
  package func gather(
    _ bucket: Int, _ vector: UnsafeMutablePointer<Float>
  ) throws(CollectivesError) {
    guard world.size > 1 else { return }
    let parts = (0..<world.size).map { partition.part(bucket, of: $0) }
    let start = parts[0].lowerBound
    try world.gatherInPlace(
      vector + start, counts: parts.map { Int32($0.count) },
      displacements: parts.map { Int32($0.lowerBound - start) })
  }

  /// Gathers one number per block of the vector and returns them in block order on every rank.
  ///
  /// `localValues` are the numbers of the blocks `partition.blocks(of: rank)`, in that order.
  /// Callers add the result in block order, so that the sum does not depend on the number of ranks.
  package func gatherBlocks(_ localValues: [Double]) throws(CollectivesError) -> [Double] {
    var values = [Double](repeating: 0, count: partition.blockBoundaries.count - 1)
    for (rank, numbers) in try world.gather(localValues).enumerated() {
      for (block, number) in zip(partition.blocks(of: rank), numbers) { values[block] = number }
    }
    return values
  }
}
