/// The subtrees that ranks and hosts send in an exchange, and the sizes of a rank's ranges.
///
/// With one rank per host, the pieces of hosts are those of ranks.
struct ExchangePlan {
  let partition: Partition
  /// The subtrees of each rank, and of all ranks of each host together.
  let rankPieces: [[ReductionTree.Node]]
  let hostPieces: [[ReductionTree.Node]]

  init(_ tree: ReductionTree, _ partition: Partition) {
    let (ranks, perHost) = (partition.rankCount, partition.ranksPerHost)
    self.partition = partition
    rankPieces = (0..<ranks).map {
      ReductionTree.pieces(of: tree.slices(of: $0, of: ranks))
    }
    // The ranks of a host have consecutive slices.
    hostPieces = (0..<ranks / perHost).map { host in
      let first = tree.slices(of: host * perHost, of: ranks)
      let last = tree.slices(of: (host + 1) * perHost - 1, of: ranks)
      return ReductionTree.pieces(of: first.lowerBound..<last.upperBound)
    }
  }

  /// The ranks of the host of `rank`.
  func hostRanks(of rank: Int) -> Range<Int> {
    let first = rank - rank % partition.ranksPerHost
    return first..<first + partition.ranksPerHost
  }

  /// The most floats of a bucket, of the range in it of the ranks with one number, and of a rank's
  /// part.
  func largest(of rank: Int) -> (bucket: Int, group: Int, part: Int) {
    let (buckets, number) = (partition.buckets.indices, rank % partition.ranksPerHost)
    return (
      partition.buckets.map(\.count).max() ?? 0,
      buckets.map { partition.group($0, number).count }.max() ?? 0,
      buckets.map { partition.part($0, of: rank).count }.max() ?? 0
    )
  }
}
