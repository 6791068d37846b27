/// The predicted traffic of an exchange in a step, and its memory.
package struct ExchangeTraffic {
  /// The bytes that each rank sends, to ranks of its host too: its pieces without its own parts,
  /// and the weights in the ring gather.
  package let sent: [Int]
  /// The bytes of the largest buffers of a rank.
  package let buffers: Int
  /// The number of consecutive messages.
  ///
  /// For each bucket, every round of pieces takes one message per other rank (pairwise exchange),
  /// and so does the gather.
  package let messages: Int

  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - partition: the parts of each rank, and the hosts.
  ///   - format: how weights are sent.
  package init(tree: ReductionTree, partition: Partition, format: GatherFormat) {
    let (ranks, perHost) = (partition.rankCount, partition.ranksPerHost)
    let plan = ExchangePlan(tree, partition)
    sent = (0..<ranks).map { Self.sent(by: $0, plan, tree, format) }
    let message =
      format.isFloat32 ? 0 : partition.buckets.map { format.bytes(of: $0) }.max() ?? 0
    buffers = ranks == 1 ? 0 : message + Self.stageBuffers(plan, tree)
    let rounds = (plan.hostPieces.map(\.count).max() ?? 0) + 1
    let hostRounds = perHost > 1 ? (plan.rankPieces.map(\.count).max() ?? 0) + 1 : 0
    messages =
      partition.buckets.count * (rounds * (ranks / perHost - 1) + hostRounds * (perHost - 1))
  }

  private static func sent(
    by rank: Int, _ plan: ExchangePlan, _ tree: ReductionTree, _ format: GatherFormat
  ) -> Int {
    let partition = plan.partition
    let number = rank % partition.ranksPerHost
    return partition.buckets.enumerated().reduce(0) { sum, bucket in
      let part = partition.part(bucket.offset, of: rank)
      let group = partition.group(bucket.offset, number)
      func bytes(_ pieces: [ReductionTree.Node], _ count: Int) -> Int {
        pieces.reduce(0) { $0 + tree.bytes(of: $1, count: count) }
      }
      let toHost =
        partition.ranksPerHost > 1
        ? bytes(plan.rankPieces[rank], bucket.element.count - group.count) : 0
      let toPeers = bytes(
        plan.hostPieces[rank / partition.ranksPerHost], group.count - part.count)
      let weights = format.bytes(of: bucket.element) - format.bytes(of: part)
      return sum + toHost + toPeers + weights
    }
  }

  /// The bytes of the largest buffers of a rank's stages.
  private static func stageBuffers(_ plan: ExchangePlan, _ tree: ReductionTree) -> Int {
    let perHost = plan.partition.ranksPerHost
    let ofAllHosts = PieceCount(plan.hostPieces.flatMap(\.self), tree)
    return (0..<plan.partition.rankCount).map { rank in
      let largest = plan.largest(of: rank)
      let host = PieceCount(plan.hostPieces[rank / perHost], tree)
      let interHost = 4 * (ofAllHosts - host).floats(largest.part)
      let interHostSent = plan.partition.rankCount > perHost ? host.sentFloats(largest.group) : 0
      if perHost == 1 { return interHost + 4 * interHostSent }
      let ofHost = PieceCount(plan.hostRanks(of: rank).flatMap { plan.rankPieces[$0] }, tree)
      let ofRank = PieceCount(plan.rankPieces[rank], tree)
      let intraHost =
        (ofHost - ofRank).floats(largest.group) + ofRank.sentFloats(largest.bucket)
        + largest.group * plan.hostPieces[rank / perHost].count
      return interHost + 4 * (interHostSent + intraHost)
    }.max() ?? 0
  }
}

/// A number of pieces that are sent in bfloat16, and of others.
struct PieceCount {
  var rounded = 0
  var unrounded = 0

  init(_ pieces: [ReductionTree.Node], _ tree: ReductionTree) {
    rounded = pieces.count { tree.isRounded($0) }
    unrounded = pieces.count - rounded
  }

  static func - (left: PieceCount, right: PieceCount) -> PieceCount {
    var result = left
    result.rounded -= right.rounded
    result.unrounded -= right.unrounded
    return result
  }

  /// The floats of memory that these pieces take, each of `count` numbers and whole floats.
  func floats(_ count: Int) -> Int { rounded * ((count + 1) / 2) + unrounded * count }

  /// The floats of memory in which one of them is rounded; `count` numbers each.
  func sentFloats(_ count: Int) -> Int { rounded > 0 ? (count + 1) / 2 : 0 }
}
