import Collectives
import Testing

struct PartitionTests {
  private static let boundaries = [0, 4096, 8192, 8200, 9000, 13096, 15000]

  @Test(arguments: [1, 2, 3, 4, 9])
  func partsTileTheVectorOnBlockBoundaries(ranks: Int) {
    let partition = Partition(
      regions: [8200..<15000, 0..<8200], blockBoundaries: Self.boundaries, rankCount: ranks)
    let parts = partition.buckets.indices.flatMap { bucket in
      (0..<ranks).map { partition.part(bucket, of: $0) }
    }
    let sorted = parts.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    #expect(sorted.first?.lowerBound == 0 && sorted.last?.upperBound == 15000)
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(parts.allSatisfy { Self.boundaries.contains($0.lowerBound) })
    let blocks = (0..<ranks).flatMap { partition.blocks(of: $0) }
    #expect(blocks.sorted() == Array(0..<6))
    #expect((0..<ranks).reduce(0) { $0 + partition.ownedCount(of: $1) } == 15000)
  }

  @Test
  func bucketsHaveABound() {
    let size = 10 * Partition.bucketSize
    let boundaries = Array(stride(from: 0, through: size, by: 4096))
    let partition = Partition(
      regions: [0..<size], blockBoundaries: boundaries, rankCount: 2)
    #expect(partition.buckets.count == 10)
    #expect(partition.buckets.allSatisfy { $0.count <= Partition.bucketSize + 4096 })
  }
}
