import Collectives
import Testing

struct ReductionTreeTests {
  private typealias Node = ReductionTree.Node

  @Test
  func piecesAreTheLargestSubtreesOfARun() {
    #expect(ReductionTree.pieces(of: 0..<8) == [Node(level: 3, index: 0)])
    #expect(
      ReductionTree.pieces(of: 3..<8) == [Node(level: 0, index: 3), Node(level: 2, index: 1)])
    #expect(
      ReductionTree.pieces(of: 1..<7) == [
        Node(level: 0, index: 1), Node(level: 1, index: 1), Node(level: 1, index: 2),
        Node(level: 0, index: 6),
      ])
    #expect(ReductionTree.pieces(of: 5..<5).isEmpty)
  }

  @Test(arguments: 1...20)
  func rangesCoverAllSlicesInOrder(workers: Int) {
    let tree = ReductionTree(sliceCount: 16)
    let ranges = (0..<workers).map { tree.slices(of: $0, of: workers) }
    #expect(ranges.flatMap { Array($0) } == Array(0..<16))
  }

  @Test
  func slicesAreOfSomeTwoThousandTokensAndEnoughForAllWorkers() {
    func slices(_ batch: Int, _ tokens: Int, _ workers: Int) -> Int {
      ReductionTree.defaultSliceCount(batch: batch, tokens: tokens, workers: workers)
    }
    #expect(slices(128, 128 * 128, 1) == 8)
    #expect(slices(128, 128 * 128, 8) == 8)
    #expect(slices(128, 128 * 128, 9) == 16)
    #expect(slices(32, 32 * 64, 3) == 4)
    #expect(slices(12, 12 * 2048, 16) == 4)
    #expect(slices(7, 7 * 2048, 2) == 1)
  }

  /// Numbers whose sum depends on the order of additions.
  private static let values: [[Float]] = (0..<16).map { slice in
    let base = 1e4 / Float(slice + 1)
    return (0..<5000).map { i in
      let number = (slice * 7919 + i * 104_729) % 1000
      return base + Float(number) * 1e-3
    }
  }

  /// The textbook version: recursive addition of halves.
  private static func treeSum(_ range: Range<Int>, _ i: Int) -> Float {
    if range.count == 1 { return values[range.lowerBound][i] }
    let middle = range.lowerBound + range.count / 2
    return treeSum(range.lowerBound..<middle, i) + treeSum(middle..<range.upperBound, i)
  }

  /// The sum by workers that each add their pieces.
  private func sum(workers: Int) throws -> [Float] {
    let tree = ReductionTree(sliceCount: 16)
    var buffers = Self.values
    let ranges = (0..<workers).map { ReductionTree.pieces(of: tree.slices(of: $0, of: workers)) }
    let slices = (0..<16).map { Node(level: 0, index: $0) }
    return try withPointers(&buffers) { pointers in
      for node in ranges.flatMap(\.self) {
        let plan = try #require(SumPlan(node, of: tree, from: slices))
        plan.add(pointers.map { .float32($0) }, count: 5000, into: pointers[node.slices.lowerBound])
      }
      let pieces = ranges.flatMap(\.self)
      let plan = try #require(SumPlan(tree.root, of: tree, from: pieces))
      plan.add(
        pieces.map { .float32(pointers[$0.slices.lowerBound]) }, count: 5000, into: pointers[0])
      return Array(UnsafeBufferPointer(start: pointers[0], count: 5000))
    }
  }

  private func withPointers<Result>(
    _ buffers: inout [[Float]], _ body: ([UnsafeMutablePointer<Float>]) throws -> Result
  ) rethrows -> Result {
    let pointers = buffers.map { values in
      let pointer = UnsafeMutablePointer<Float>.allocate(capacity: values.count)
      pointer.initialize(from: values, count: values.count)
      return pointer
    }
    defer { for pointer in pointers { pointer.deallocate() } }
    return try body(pointers)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 13, 16])
  func anyNumberOfWorkersGivesTheTreesBits(workers: Int) throws {
    let expected = (0..<5000).map { Self.treeSum(0..<16, $0) }
    #expect(try sum(workers: workers) == expected)
  }

  /// The negative control: with these numbers, other orders of addition give other bits.
  @Test
  func anotherOrderGivesOtherBits() {
    let tree = (0..<5000).map { Self.treeSum(0..<16, $0) }
    let sequential = (0..<5000).map { i in Self.values.reduce(0) { $0 + $1[i] } }
    let wrongTree = (0..<5000).map { i in
      Self.treeSum(0..<8, i) + (Self.treeSum(8..<10, i) + Self.treeSum(10..<16, i))
    }
    #expect(tree != sequential)
    #expect(tree != wrongTree)
  }

  /// The largest subtree that every rank can have, and no level below that of a slice.
  @Test(arguments: [(1, 4), (2, 3), (3, 2), (4, 2), (5, 1), (16, 0), (17, 0), (100, 0)])
  func theUsualLevelIsThatOfARanksSum(ranks: Int, level: Int) {
    #expect(ReductionTree(sliceCount: 16).defaultRoundingLevel(ranks: ranks) == level)
  }

  @Test
  func nodesFromTheLevelOnAreRoundedExceptTheRoot() {
    let tree = ReductionTree(sliceCount: 8, roundingLevel: 1)
    #expect(
      (0...3).map { tree.isRounded(Node(level: $0, index: 0)) } == [false, true, true, false])
    let float = ReductionTree(sliceCount: 8)
    #expect((0...3).allSatisfy { !float.isRounded(Node(level: $0, index: 0)) })
  }

  @Test
  func aPlanNeedsAllItsPieces() {
    let tree = ReductionTree(sliceCount: 4)
    #expect(SumPlan(tree.root, of: tree, from: [Node(level: 1, index: 0)]) == nil)
  }
}
