import Tensors

/// The all-reduce of a step, in two halves around the update: every owner receives and adds the
/// pieces of its parts (`exchange`), and later hands out its new weights (`gather`).
///
/// Together they move as much as an optimal all-reduce, and moments need to exist once only (ZeRO,
/// Rajbhandari et al. 2020, stage 1). Ranks times lanes that are powers of two have one piece each;
/// other shapes send more pieces for the same bits.
///
/// It makes the calls of its communicator and is used, like that, by one thread at a time.
package final class Exchange: Sendable {
  private let partition: Partition
  private let world: Communicator
  /// The subtrees that each rank holds.
  private let pieces: [[ReductionTree.Node]]
  private let plan: SumPlan
  private let received: Storage
  private let largestPart: Int

  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - partition: who owns what.
  ///   - world: a duplicate of all ranks for this exchange alone, which `free` gives back.
  package init(tree: ReductionTree, partition: Partition, world: Communicator) {
    let pieces = (0..<world.size).map {
      ReductionTree.pieces(of: tree.run(of: $0, of: world.size))
    }
    guard let plan = SumPlan(tree.root, from: pieces.flatMap(\.self)) else {
      preconditionFailure("the ranks' runs do not cover the slices")
    }
    let parts = partition.buckets.indices.map { partition.part($0, of: world.rank).count }
    let foreign = pieces.indices.reduce(0) { $0 + ($1 == world.rank ? 0 : pieces[$1].count) }
    largestPart = parts.max() ?? 0
    received = Storage(count: foreign * largestPart)
    self.partition = partition
    self.world = world
    self.pieces = pieces
    self.plan = plan
  }

  /// Frees the communicator.
  ///
  /// Every rank must call it.
  package func free() { world.free() }

  /// The floats that each rank sends in a step, the most that any holds of others' pieces, and the
  /// messages that follow each other.
  ///
  /// Every piece travels but for the part of its own rank; new weights go around all ranks once. A
  /// bucket's pieces go to one rank after the other, and its weights around the ring.
  package static func traffic(
    tree: ReductionTree, partition: Partition
  ) -> (sent: [Int], received: Int, messages: Int) {
    let size = partition.rankCount
    let pieces = (0..<size).map { ReductionTree.pieces(of: tree.run(of: $0, of: size)).count }
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

  /// The subtrees that this rank must bring, in order.
  package var ownPieces: [ReductionTree.Node] { pieces[world.rank] }

  /// Adds all ranks' pieces of this rank's part of `bucket` into `output`.
  ///
  /// - Parameters:
  ///   - own: the vectors of `ownPieces`.
  ///   - output: a vector, which may be one of `own`; only the part is written.
  package func exchange(
    _ bucket: Int, own: [UnsafeMutablePointer<Float>], into output: UnsafeMutablePointer<Float>
  ) throws(CollectivesError) {
    let part = partition.part(bucket, of: world.rank)
    // Foreign pieces lie one after the other in `received`; our own stay where they are.
    var places: [[Int32]] = []
    var pointers: [UnsafeMutablePointer<Float>] = []
    var slot = 0
    for rank in pieces.indices {
      places.append([])
      for number in pieces[rank].indices {
        if rank == world.rank {
          pointers.append(own[number] + part.lowerBound)
        } else {
          places[rank].append(Int32(slot * largestPart))
          pointers.append(received.base + slot * largestPart)
          slot += 1
        }
      }
    }
    for round in 0..<(pieces.map(\.count).max() ?? 0) where world.size > 1 {
      try exchange(bucket, round: round, own: own, places: places)
    }
    plan.add(pointers, count: part.count, into: output + part.lowerBound)
  }

  /// Sends every owner its part of our piece `round`, and receives theirs.
  private func exchange(
    _ bucket: Int, round: Int, own: [UnsafeMutablePointer<Float>], places: [[Int32]]
  ) throws(CollectivesError) {
    let ranks = 0..<world.size
    let sends = round < own.count
    let parts = ranks.map { partition.part(bucket, of: $0) }
    let ownPart = Int32(parts[world.rank].count)
    // Places count from the bucket on: the vector may have more floats than an Int32 can say.
    let start = parts[0].lowerBound
    try world.exchange(
      send: sends ? own[round] + start : received.base,
      counts: ranks.map { sends && $0 != world.rank ? Int32(parts[$0].count) : 0 },
      places: parts.map { sends ? Int32($0.lowerBound - start) : 0 },
      receive: received.base,
      receiveCounts: places.map { round < $0.count ? ownPart : 0 },
      receivePlaces: places.map { round < $0.count ? $0[round] : 0 })
  }

  /// Completes `bucket` of `vector` on every rank from its owners' parts.
  package func gather(
    _ bucket: Int, _ vector: UnsafeMutablePointer<Float>
  ) throws(CollectivesError) {
    guard world.size > 1 else { return }
    let parts = (0..<world.size).map { partition.part(bucket, of: $0) }
    let start = parts[0].lowerBound
    try world.gatherInPlace(
      vector + start, counts: parts.map { Int32($0.count) },
      places: parts.map { Int32($0.lowerBound - start) })
  }

  /// One number for each block of the vector, in block order, on every rank.
  ///
  /// - Parameter own: the numbers of `partition.blocks(of: rank)`.
  package func gatherBlocks(_ own: [Double]) throws(CollectivesError) -> [Double] {
    var values = [Double](repeating: 0, count: partition.blockBoundaries.count - 1)
    for (rank, numbers) in try world.gather(own).enumerated() {
      for (block, number) in zip(partition.blocks(of: rank), numbers) { values[block] = number }
    }
    return values
  }
}
