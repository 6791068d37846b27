import Tensors

/// Who owns what: the flat vector cut into buckets, and every bucket into a part for each rank.
///
/// A bucket is a range that travels at once. Rank j owns the j-th part of every bucket: it finishes
/// the sum there, keeps the moments and updates the weights. Parts end on block boundaries.
package struct Partition: Sendable {
  /// The buckets, in the order in which their gradients become final; together the whole vector.
  package let buckets: [Range<Int>]
  /// Where blocks begin, and the end of the vector.
  package let blockBoundaries: [Int]
  package let rankCount: Int
  /// Where each part of each bucket begins, and the bucket's end: rankCount + 1 entries a bucket.
  private let cuts: [[Int]]

  /// The most floats of a bucket, up to one block: 8 MB fill a network link and still leave a vector
  /// many buckets to overlap.
  package static let bucketSize = 1 << 21

  /// - Parameters:
  ///   - regions: ranges of the vector in the order in which they become final; they begin and end
  ///     on block boundaries and cover it.
  ///   - blockBoundaries: where blocks begin, and the end of the vector.
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

  /// The floats that `rank` owns in all.
  package func ownedCount(of rank: Int) -> Int {
    buckets.indices.reduce(0) { $0 + part($1, of: rank).count }
  }

  /// The most floats of any part.
  package var largestPart: Int {
    buckets.indices.reduce(0) { most, bucket in
      (0..<rankCount).reduce(most) { max($0, part(bucket, of: $1).count) }
    }
  }

  /// The blocks that `rank` owns, as numbers in the vector's order, bucket by bucket.
  package func blocks(of rank: Int) -> [Int] {
    buckets.indices.flatMap { bucket in
      let part = part(bucket, of: rank)
      return firstBlock(at: part.lowerBound)..<firstBlock(at: part.upperBound)
    }
  }

  private func firstBlock(at position: Int) -> Int {
    Self.search(blockBoundaries, atOrAfter: position)
  }

  private static func boundary(atOrAfter position: Int, _ boundaries: [Int]) -> Int {
    boundaries[search(boundaries, atOrAfter: position)]
  }

  /// The number of the first boundary at or after `position`.
  private static func search(_ boundaries: [Int], atOrAfter position: Int) -> Int {
    firstPosition(in: boundaries.count - 1) { boundaries[$0] >= position }
  }
}
