import Collectives
import Tensors
import Testing

/// These tests run alone and under mpirun.
@Suite(.serialized)
struct ExchangeTests {
  private static let count = 9000
  private static let boundaries = [0, 4096, 5000, 9000]

  /// The gradient of a slice.
  private static func value(_ slice: Int, _ i: Int) -> Float {
    Float((slice * 31 + i * 17) % 1009) * 1e-3 + 1000 / Float(slice + 1)
  }

  private static func treeSum(_ slices: Range<Int>, _ i: Int) -> Float {
    if slices.count == 1 { return value(slices.lowerBound, i) }
    let middle = (slices.lowerBound + slices.upperBound) / 2
    return treeSum(slices.lowerBound..<middle, i) + treeSum(middle..<slices.upperBound, i)
  }

  /// One rank sends nothing; two ranks send half of the gradient and half of the weights.
  ///
  /// Of three ranks with 16 slices, the middle one has the subtrees 5, 6-7 and 8-9, the others have
  /// two each.
  @Test
  func trafficIsThatOfPiecesAndNewWeights() {
    func traffic(_ ranks: Int) -> (sent: [Int], received: Int, messages: Int) {
      Exchange.traffic(
        tree: ReductionTree(sliceCount: 16),
        partition: Partition(
          regions: [0..<12288], blockBoundaries: [0, 4096, 8192, 12288], rankCount: ranks))
    }
    #expect(traffic(1).sent == [0] && traffic(1).received == 0)
    #expect(traffic(2).sent == [8192, 16384])
    #expect(traffic(2).received == 8192)
    #expect(traffic(3).sent == [3 * 8192, 4 * 8192, 3 * 8192])
    #expect(traffic(3).received == 5 * 4096)
    // One bucket: to each other rank, one message per piece and one for the new weights.
    #expect(traffic(1).messages == 0 && traffic(2).messages == 2 && traffic(3).messages == 2 * 4)
  }

  /// There may be more ranks than slices.
  @Test(arguments: [1, 2, 8, 32])
  func everyRankHasTheSumOfTheTree(slices: Int) throws {
    let world = try Communicator.start()
    let partition = Partition(
      regions: [4096..<9000, 0..<4096], blockBoundaries: Self.boundaries, rankCount: world.size)
    let tree = ReductionTree(sliceCount: slices)
    let exchange = Exchange(tree: tree, partition: partition, world: try world.duplicate())
    defer { exchange.free() }
    let gradients = exchange.localPieces.map { node in
      let storage = Storage(count: Self.count)
      for i in 0..<Self.count { storage.base[i] = Self.treeSum(node.slices, i) }
      return storage
    }
    let result = gradients.first ?? Storage(count: Self.count)
    for bucket in partition.buckets.indices {
      try exchange.exchange(bucket, pieces: gradients.map(\.base), into: result.base)
    }
    for bucket in partition.buckets.indices { try exchange.gather(bucket, result.base) }
    let wrong = (0..<Self.count).count { result.base[$0] != Self.treeSum(0..<slices, $0) }
    #expect(wrong == 0)
    let blocks = try exchange.gatherBlocks(partition.blocks(of: world.rank).map { Double($0) })
    #expect(blocks == [0, 1, 2])
    withExtendedLifetime(gradients) {}
  }
}
