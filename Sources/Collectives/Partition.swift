import Tensors

/// The division of the parameter vector into buckets, and of each bucket into one part per rank.
///
/// A bucket is communicated as a whole, as soon as its gradients are final. Rank j owns the j-th
/// part of every bucket: it adds the gradients there, keeps the Adam moments and updates the
/// weights (ZeRO stage 1, Rajbhandari et al. 2020).
///
/// The parts of a bucket are in the order of the ranks' numbers within their hosts, and then of
/// their hosts. So the parts of all ranks with one number, a group, are one range, which hosts
/// exchange after their ranks have added it (`Exchange`).
///
/// Parts start and end on block boundaries. Sums over the vector (the gradient norm) are added
/// block by block, so the partition does not affect their bits.
package struct Partition: Sendable {
  /// The buckets in the order in which their gradients become final; together they cover the
  /// vector.
  package let buckets: [Range<Int>]
  /// The start of every block in ascending order, and the end of the vector.
  package let blockBoundaries: [Int]
  /// The number of ranks.
  package let rankCount: Int
  /// The number of ranks of each host; 1 if the exchange is not hierarchical.
  package let ranksPerHost: Int
  /// For each bucket, the start of every part and the bucket's end: rankCount + 1 entries.
  private let cuts: [[Int]]

  /// The most floats of a bucket, up to rounding to blocks.
  ///
  /// 8 MB are enough to reach the bandwidth of a network link, and small enough that a vector has
  /// many buckets, so that communication overlaps with the backward pass.
  package static let bucketSize = 1 << 21

  /// Divides the vector among `rankCount` ranks.
  ///
  /// - Parameters:
  ///   - regions: ranges of the vector in the order in which their gradients become final. They
  ///     start and end on block boundaries and cover the vector.
  ///   - blockBoundaries: the start of every block in ascending order, and the end of the vector.
  ///   - rankCount: the number of ranks; parts may be empty.
  ///   - ranksPerHost: divides the number of ranks; consecutive ranks share a host.
  package init(
    regions: [Range<Int>], blockBoundaries: [Int], rankCount: Int, ranksPerHost: Int = 1
  ) {
    precondition(rankCount % ranksPerHost == 0, "hosts have different numbers of ranks")
    self.rankCount = rankCount
    self.ranksPerHost = ranksPerHost
    self.blockBoundaries = blockBoundaries
    let boundaries = blockBoundaries
    buckets = regions.flatMap { region in
      let count = max(1, (region.count + Self.bucketSize - 1) / Self.bucketSize)
      let cuts = (0...count).map {
        Self.boundary(atOrAfter: region.lowerBound + region.count * $0 / count, boundaries)
      }
      return zip(cuts, cuts.dropFirst()).map { $0..<$1 }
    }
    cuts = buckets.map { bucket in
      (0...rankCount).map {
        Self.boundary(atOrAfter: bucket.lowerBound + bucket.count * $0 / rankCount, boundaries)
      }
    }
  }

  /// The part of bucket `bucket` that `rank` owns.
  package func part(_ bucket: Int, of rank: Int) -> Range<Int> {
    let position = position(of: rank)
    return cuts[bucket][position]..<cuts[bucket][position + 1]
  }

  /// The parts of bucket `bucket` of all ranks with number `local` within their hosts: one range.
  func group(_ bucket: Int, _ local: Int) -> Range<Int> {
    cuts[bucket][local * hostCount]..<cuts[bucket][(local + 1) * hostCount]
  }

  private var hostCount: Int { rankCount / ranksPerHost }

  /// The position of a rank's part among the parts of a bucket.
  private func position(of rank: Int) -> Int {
    rank % ranksPerHost * hostCount + rank / ranksPerHost
  }

  /// The ranks with the number of `rank` within their hosts, in order.
  func peers(of rank: Int) -> [Int] {
    Array(stride(from: rank % ranksPerHost, to: rankCount, by: ranksPerHost))
  }

  /// All ranks in the order of their parts.
  package var owners: [Int] { (0..<rankCount).sorted { position(of: $0) < position(of: $1) } }

  /// The number of floats that `rank` owns in all buckets.
  package func ownedCount(of rank: Int) -> Int {
    buckets.indices.reduce(0) { $0 + part($1, of: rank).count }
  }

  /// The number of floats of the largest part.
  package var largestPart: Int {
    buckets.indices.reduce(0) { most, bucket in
      (0..<rankCount).reduce(most) { max($0, part(bucket, of: $1).count) }
    }
  }

  /// The indices of the blocks that `rank` owns, bucket by bucket.
  package func blocks(of rank: Int) -> [Int] {
    buckets.indices.flatMap { bucket in
      let part = part(bucket, of: rank)
      return firstBlock(at: part.lowerBound)..<firstBlock(at: part.upperBound)
    }
  }

  /// The index of the first block that starts at or after `position`.
  private func firstBlock(at position: Int) -> Int {
    Self.search(blockBoundaries, atOrAfter: position)
  }

  /// The first boundary at or after `position`.
  private static func boundary(atOrAfter position: Int, _ boundaries: [Int]) -> Int {
    boundaries[search(boundaries, atOrAfter: position)]
  }

  /// The index of the first boundary at or after `position`.
  private static func search(_ boundaries: [Int], atOrAfter position: Int) -> Int {
    firstPosition(in: boundaries.count - 1) { boundaries[$0] >= position }
  }
}
