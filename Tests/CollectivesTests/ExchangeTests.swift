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

  /// The sum of the tree, in which nodes of at least `level` are rounded before they are added.
  private static func treeSum(_ slices: Range<Int>, _ i: Int, level: Int?) -> Float {
    if slices.count == 1 { return value(slices.lowerBound, i) }
    let middle = (slices.lowerBound + slices.upperBound) / 2
    let halves = [slices.lowerBound..<middle, middle..<slices.upperBound].map {
      treeSum($0, i, level: level)
    }
    let isRounded = level.map { slices.count / 2 >= 1 << $0 } ?? false
    return isRounded ? rounded(halves[0]) + rounded(halves[1]) : halves[0] + halves[1]
  }

  private static func rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  private static func partition(_ ranks: Int, perHost: Int = 1) -> Partition {
    Partition(
      regions: [0..<12288], blockBoundaries: [0, 4096, 8192, 12288], rankCount: ranks,
      ranksPerHost: perHost)
  }

  /// One rank sends nothing; two ranks send half of the gradient and half of the weights.
  ///
  /// Of three ranks with 16 slices, the middle one has the subtrees 5, 6-7 and 8-9, the others have
  /// two each.
  @Test
  func trafficIsThatOfPiecesAndNewWeights() {
    func traffic(_ ranks: Int) -> ExchangeTraffic {
      ExchangeTraffic(
        tree: ReductionTree(sliceCount: 16), partition: Self.partition(ranks), format: .float32)
    }
    #expect(traffic(1).sent == [0] && traffic(1).buffers == 0)
    #expect(traffic(2).sent == [4 * 8192, 4 * 16384])
    #expect(traffic(2).buffers == 4 * 8192)
    #expect(traffic(3).sent == [12 * 8192, 16 * 8192, 12 * 8192])
    #expect(traffic(3).buffers == 4 * 5 * 4096)
    // One bucket: to each other rank, one message per piece and one for the new weights.
    #expect(traffic(1).messages == 0 && traffic(2).messages == 2 && traffic(3).messages == 2 * 4)
  }

  /// Sums from the level on, and weights of the format's ranges, take two bytes.
  @Test
  func roundedSumsAndWeightsTakeHalfTheBytes() {
    func traffic(level: Int, rounded: [Range<Int>] = []) -> [Int] {
      ExchangeTraffic(
        tree: ReductionTree(sliceCount: 16, roundingLevel: level), partition: Self.partition(2),
        format: GatherFormat(roundedRanges: rounded)
      ).sent
    }
    #expect(traffic(level: 4) == [4 * 8192, 4 * 16384])
    #expect(traffic(level: 3) == [2 * 8192 / 2 + 4 * 4096, 3 * 16384])
    #expect(traffic(level: 3, rounded: [0..<12288])[1] == 2 * 16384)
  }

  /// Two hosts of two ranks: within a host each rank sends its sum of half of the vector, between
  /// hosts the sum of the host of a quarter, and weights as much.
  @Test
  func aSumLeavesAHostOnce() {
    let partition = Partition(
      regions: [0..<16384], blockBoundaries: [0, 4096, 8192, 12288, 16384], rankCount: 4,
      ranksPerHost: 2)
    #expect((0..<4).map { partition.part(0, of: $0).lowerBound } == [0, 8192, 4096, 12288])
    #expect(partition.owners == [0, 2, 1, 3])
    let traffic = ExchangeTraffic(
      tree: ReductionTree(sliceCount: 4), partition: partition, format: .float32)
    #expect(traffic.sent == Array(repeating: 4 * (8192 + 4096 + 12288), count: 4))
    #expect(traffic.messages == 2 * 1 + 2 * 1)
  }

  /// There may be more ranks than slices.
  ///
  /// Of four or six ranks, two each may share a host.
  @Test(arguments: [1, 2, 8, 32], [nil, 0, 2, 9])
  func everyRankHasTheSumOfTheTree(slices: Int, level: Int?) throws {
    let world = try Communicator.start()
    for perHost in world.size >= 4 && world.size % 2 == 0 ? [1, 2] : [1] {
      try exchange(world, perHost: perHost, slices: slices, level: level)
    }
  }

  private func exchange(
    _ world: Communicator, perHost: Int, slices: Int, level: Int?
  ) throws {
    let partition = Partition(
      regions: [4096..<9000, 0..<4096], blockBoundaries: Self.boundaries, rankCount: world.size,
      ranksPerHost: perHost)
    let tree = ReductionTree(sliceCount: slices, roundingLevel: level)
    let rounded = [100..<4500, 4501..<8999]
    let exchange = try Exchange(
      tree: tree, partition: partition, format: GatherFormat(roundedRanges: rounded),
      world: try world.duplicate())
    defer { exchange.free() }
    let gradients = exchange.localPieces.map { node in
      let storage = Storage(count: Self.count)
      for i in 0..<Self.count { storage.base[i] = Self.treeSum(node.slices, i, level: level) }
      return storage
    }
    let result = gradients.first ?? Storage(count: Self.count)
    for bucket in partition.buckets.indices {
      try exchange.exchange(bucket, pieces: gradients.map(\.base), into: result.base)
    }
    // Other ranks' weights arrive rounded where the format says so.
    for bucket in partition.buckets.indices { try exchange.gather(bucket, result.base) }
    let parts = partition.buckets.indices.map { partition.part($0, of: world.rank) }
    let sums = (0..<Self.count).map { Self.treeSum(0..<slices, $0, level: level) }
    let wrong = sums.indices.count { i in
      let isExact = parts.contains { $0.contains(i) } || !rounded.contains { $0.contains(i) }
      return result.base[i] != (isExact ? sums[i] : Self.rounded(sums[i]))
    }
    #expect(wrong == 0, "\(perHost) ranks per host")
    for bucket in partition.buckets.indices {
      try exchange.gather(bucket, result.base, inFloat32: true)
    }
    #expect((0..<Self.count).map { result.base[$0] } == sums, "\(perHost) ranks per host")
    let blocks = try exchange.gatherBlocks(partition.blocks(of: world.rank).map { Double($0) })
    #expect(blocks == [0, 1, 2])
    withExtendedLifetime(gradients) {}
  }

  /// The negative control: rounding changes these sums, and the level matters.
  @Test
  func levelsGiveOtherSums() {
    let sums = [nil, 0, 2].map { level in
      (0..<100).map { Self.treeSum(0..<8, $0, level: level) }
    }
    #expect(sums[0] != sums[1] && sums[1] != sums[2] && sums[0] != sums[2])
    #expect(sums[0] == (0..<100).map { Self.treeSum(0..<8, $0, level: 3) })
  }
}
