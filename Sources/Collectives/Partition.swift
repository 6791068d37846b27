import Tensors

/// The division of the parameter vector into buckets, and of each bucket into one part per rank.
///
/// A bucket is communicated as a whole, as soon as its gradients are final. Rank j owns the j-th
/// part of every bucket: it adds the gradients there, keeps the Adam moments and updates the
/// weights (ZeRO stage 1, Rajbhandari et al. 2020).
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
  /// For each bucket, the start of every rank's part and the bucket's end: rankCount + 1 entries.
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
  package init(regions: [Range<Int>], blockBoundaries: [Int], rankCount: Int) {
    self.rankCount = rankCount
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
    cuts[bucket][rank]..<cuts[bucket][rank + 1]
  }

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
