import Collectives

/// The parts of a checkpoint's vectors, in the order in which they are sent to or from rank zero.
struct SavedParts: Sendable {
  let partition: Partition
  /// The moments of this rank, which know the offsets of its parts.
  let moments: Moments
  /// This rank's number.
  let rank: Int

  /// Calls `body` with every part of a vector, in the order of the vector.
  ///
  /// The order is the same on all ranks. Parts of second moments are those between matrices without
  /// them. `offset` is the part's offset in this rank's parts; it has no meaning for a part of
  /// another rank.
  func forEach(
    of vector: SavedVector,
    _ body: (_ owner: Int, _ range: Range<Int>, _ offset: Int) throws -> Void
  ) throws {
    // Buckets are numbered in the order of gradients, and the file is in the order of the vector.
    let buckets = partition.buckets.indices.sorted {
      partition.buckets[$0].lowerBound < partition.buckets[$1].lowerBound
    }
    for bucket in buckets {
      for owner in partition.owners {
        let part = partition.part(bucket, of: owner)
        let ranges = vector == .secondMoment ? moments.matrices.outside(part) : [part]
        for range in ranges where !range.isEmpty {
          try body(owner, range, owner == rank ? offset(of: range, in: bucket, vector) : 0)
        }
      }
    }
  }

  /// The offset of `range`, which this rank owns, in its parts of a vector.
  private func offset(of range: Range<Int>, in bucket: Int, _ vector: SavedVector) -> Int {
    vector == .secondMoment
      ? moments.secondOffset(of: range.lowerBound, in: bucket) : moments.offset(of: bucket)
  }
}
