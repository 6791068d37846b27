/// What a rank sends and adds in the two stages of an exchange, and how large its ranges are.
///
/// If hosts do not matter, the first stage has this rank only, and its outputs are its inputs.
struct StagePlan {
  /// The subtrees of the ranks of this rank's host, and those of the host.
  let hostInputs: [[ReductionTree.Node]]
  let hostOutputs: [ReductionTree.Node]
  /// The subtrees of all hosts.
  let peerInputs: [[ReductionTree.Node]]
  /// The most floats of a bucket, of its part of this rank's group, and of this rank's part.
  let largestBucket: Int
  let largestGroup: Int
  let largestPart: Int

  init(tree: ReductionTree, partition: Partition, rank: Int) {
    let (ranks, perHost) = (partition.rankCount, partition.ranksPerHost)
    let host = rank / perHost
    hostInputs = (host * perHost..<(host + 1) * perHost).map {
      ReductionTree.pieces(of: tree.slices(of: $0, of: ranks))
    }
    // The ranks of a host have consecutive slices.
    peerInputs = (0..<ranks / perHost).map { host in
      let first = tree.slices(of: host * perHost, of: ranks)
      let last = tree.slices(of: (host + 1) * perHost - 1, of: ranks)
      return ReductionTree.pieces(of: first.lowerBound..<last.upperBound)
    }
    hostOutputs = peerInputs[host]
    let buckets = partition.buckets.indices
    largestBucket = partition.buckets.map(\.count).max() ?? 0
    largestGroup = buckets.map { partition.group($0, rank % perHost).count }.max() ?? 0
    largestPart = buckets.map { partition.part($0, of: rank).count }.max() ?? 0
  }
}

/// The predicted traffic and memory of an exchange, per step.
package struct ExchangeTraffic {
  /// The bytes that each rank sends: its pieces without its own parts, and the weights in the ring
  /// gather.
  package let sent: [Int]
  /// The bytes of the largest buffers of a rank.
  package let buffers: Int
  /// The number of consecutive messages: for each bucket, every round of pieces takes one message per
  /// other rank (pairwise exchange), and so does the gather.
  package let messages: Int

  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - partition: the parts of each rank, and the hosts.
  ///   - format: how weights travel.
  package init(
    tree: ReductionTree, partition: Partition, format: GatherFormat = GatherFormat()
  ) {
    let (ranks, perHost) = (partition.rankCount, partition.ranksPerHost)
    let plans = (0..<ranks).map { StagePlan(tree: tree, partition: partition, rank: $0) }
    let sizes = (0..<ranks).map { Sizes(partition, format, rank: $0) }
    sent = zip(plans, sizes).enumerated().map { rank, value in
      let (plan, size) = value
      let toHost = plan.hostInputs[rank % perHost].reduce(0) {
        $0 + ExchangeStage.bytes(of: $1, tree, count: size.vector - size.group)
      }
      let toPeers = plan.hostOutputs.reduce(0) {
        $0 + ExchangeStage.bytes(of: $1, tree, count: size.group - size.part)
      }
      return (perHost > 1 ? toHost : 0) + toPeers + size.vectorBytes - size.partBytes
    }
    buffers =
      plans.enumerated().map { rank, plan in
        Self.buffers(plan, rank: rank, tree, partition, format)
      }.max() ?? 0
    let rounds = (plans[0].peerInputs.map(\.count).max() ?? 0) + 1
    let hostRounds = (plans.flatMap(\.hostInputs).map(\.count).max() ?? 0) + 1
    messages =
      partition.buckets.count
      * (rounds * (ranks / perHost - 1) + (perHost > 1 ? hostRounds * (perHost - 1) : 0))
  }

  /// The floats and bytes of the ranges of one rank, over all buckets.
  private struct Sizes {
    var (vector, group, part) = (0, 0, 0)
    var (vectorBytes, partBytes) = (0, 0)

    init(_ partition: Partition, _ format: GatherFormat, rank: Int) {
      for (bucket, range) in partition.buckets.enumerated() {
        let own = partition.part(bucket, of: rank)
        vector += range.count
        group += partition.group(bucket, rank % partition.ranksPerHost).count
        part += own.count
        vectorBytes += format.bytes(of: range)
        partBytes += format.bytes(of: own)
      }
    }
  }

  /// The bytes of the buffers of one rank's `Exchange`.
  private static func buffers(
    _ plan: StagePlan, rank: Int, _ tree: ReductionTree, _ partition: Partition,
    _ format: GatherFormat
  ) -> Int {
    guard partition.rankCount > 1 else { return 0 }
    let perHost = partition.ranksPerHost
    var bytes =
      format.isFloat32 ? 0 : partition.buckets.map { format.bytes(of: $0) }.max() ?? 0
    let final = ExchangeStage.bufferSizes(
      plan.peerInputs, rank: rank / perHost, tree, largest: (plan.largestPart, plan.largestGroup))
    bytes += 4 * (final.received + final.sent)
    guard perHost > 1 else { return bytes }
    let initial = ExchangeStage.bufferSizes(
      plan.hostInputs, rank: rank % perHost, tree,
      largest: (plan.largestGroup, plan.largestBucket))
    return bytes
      + 4 * (initial.received + initial.sent + plan.largestGroup * plan.hostOutputs.count)
  }
}
