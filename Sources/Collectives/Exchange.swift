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
/// Where hosts have several ranks, it is hierarchical: the ranks of a host add their pieces first,
/// each for its share of the vector, and then ranks with the same number within their hosts
/// exchange the sums of hosts. So a sum leaves a host once, not once for each rank. Weights take
/// the reverse way.
///
/// All methods that communicate are collective, and one thread at a time may use an exchange, as
/// with its communicator.
package final class Exchange: Sendable {
  private let partition: Partition
  private let format: GatherFormat
  private let world: Communicator
  /// The ranks with this rank's number within their hosts; all ranks with one rank per host.
  private let peers: Communicator
  /// The ranks of this host; nil with one rank per host.
  private let host: Communicator?
  /// The exchange within this host, and its sums: one vector for each piece of the host.
  private let intraHost: (stage: ExchangeStage, sums: [Storage])?
  /// The exchange of the pieces of hosts, whose sums are parts of the root.
  private let interHost: ExchangeStage
  /// Weights as they are sent; empty if that is in float32.
  private let message: Storage
  /// The subtrees whose sums this rank contributes, in order.
  package let localPieces: [ReductionTree.Node]

  /// Allocates buffers and plans the sums; every rank must call it.
  ///
  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - partition: the buckets, the owners of their parts and the hosts.
  ///   - format: how weights are sent.
  ///   - world: a duplicate of the world for this exchange only, which `free` frees.
  /// - Throws: `CollectivesError.callFailed`.
  package init(
    tree: ReductionTree, partition: Partition, format: GatherFormat, world: Communicator
  ) throws(CollectivesError) {
    let plan = ExchangePlan(tree, partition)
    let (largest, perHost) = (plan.largest(of: world.rank), partition.ranksPerHost)
    (self.partition, self.format, self.world) = (partition, format, world)
    localPieces = plan.rankPieces[world.rank]
    if perHost > 1 {
      let host = try world.split(color: world.rank / perHost)
      let outputs = plan.hostPieces[world.rank / perHost]
      let stage = ExchangeStage(
        host, tree: tree, inputs: plan.hostRanks(of: world.rank).map { plan.rankPieces[$0] },
        outputs: outputs, largestRange: largest.group, largestTotal: largest.bucket)
      intraHost = (stage, outputs.map { _ in Storage(count: largest.group) })
      self.host = host
      peers = try world.split(color: world.rank % perHost)
    } else {
      (intraHost, host, peers) = (nil, nil, world)
    }
    interHost = ExchangeStage(
      peers, tree: tree, inputs: plan.hostPieces, outputs: [tree.root],
      largestRange: largest.part, largestTotal: largest.group)
    let bytes = partition.buckets.map { format.bytes(of: $0) }.max() ?? 0
    message = Storage(count: format.isFloat32 || world.size == 1 ? 0 : (bytes + 3) / 4)
  }

  /// Frees the communicators; collective.
  package func free() {
    host?.free()
    peers.free()
    world.free()
  }

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
    var pieces = gradients.map { $0 + partition.buckets[bucket].lowerBound }
    if let (stage, sums) = intraHost {
      let groups = (0..<partition.ranksPerHost).map { partition.group(bucket, $0) }
      try stage.run(pieces, ranges: groups, into: sums.map(\.base))
      pieces = sums.map(\.base)
    }
    let parts = partition.peers(of: world.rank).map { partition.part(bucket, of: $0) }
    let part = partition.part(bucket, of: world.rank)
    try interHost.run(pieces, ranges: parts, into: [output + part.lowerBound])
  }

  /// Copies the parts of `bucket` of `vector` from their owners to all ranks.
  ///
  /// The floats of other ranks' parts are those that arrive: rounded where the format of the
  /// exchange rounds them, unless `inFloat32`. This rank's part is not changed.
  package func gather(
    _ bucket: Int, _ vector: UnsafeMutablePointer<Float>, inFloat32: Bool = false
  ) throws(CollectivesError) {
    guard world.size > 1 else { return }
    let format = inFloat32 ? .float32 : format
    let range = partition.buckets[bucket]
    func bytes(_ part: Range<Int>) -> Range<Int> {
      let start = format.bytes(of: range.lowerBound..<part.lowerBound)
      return start..<start + format.bytes(of: part)
    }
    let part = partition.part(bucket, of: world.rank)
    let message =
      format.isFloat32
      ? UnsafeMutableRawPointer(vector + range.lowerBound)
      : UnsafeMutableRawPointer(self.message.base)
    if !format.isFloat32 {
      format.encode(part, of: vector, into: message + bytes(part).lowerBound)
    }
    try peers.gatherInPlace(
      message,
      ranges: partition.peers(of: world.rank).map { bytes(partition.part(bucket, of: $0)) })
    try host?.gatherInPlace(
      message, ranges: (0..<partition.ranksPerHost).map { bytes(partition.group(bucket, $0)) })
    if format.isFloat32 { return }
    for others in [range.lowerBound..<part.lowerBound, part.upperBound..<range.upperBound] {
      format.decode(message + bytes(others).lowerBound, to: others, of: vector)
    }
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
