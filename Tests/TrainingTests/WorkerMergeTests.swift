import Collectives
import Synchronization
import Tensors
import Testing
import Training

/// Tests with a vector of three buckets, the first two of which are early.
struct WorkerMergeTests {
  private typealias Node = ReductionTree.Node
  private static let buckets = [8..<12, 4..<8, 0..<4]

  private func merge(nodes: [ReductionTree.Node]) -> WorkerMerge {
    WorkerMerge(
      ReductionTree(sliceCount: 8), buckets: Self.buckets, nodes: nodes, earlyBuckets: 2)
  }

  /// Returns a piece in which every float is `value`.
  private func piece(_ level: Int, _ index: Int, _ value: Float) -> Piece {
    let storage = Storage(count: 12)
    storage[0..<12].fill(value)
    return (Node(level: level, index: index), storage)
  }

  private func values(_ storage: Storage) -> [Float] { (0..<12).map { storage.base[$0] } }

  @Test
  func aBucketIsHandedOnWhenItIsFinalOnAllWorkers() {
    let merge = merge(nodes: [Node(level: 3, index: 0)])
    var finalBuckets: [Int] = []
    func finish(_ range: Range<Int>) {
      merge.finish(range) { bucket, _ in finalBuckets.append(bucket) }
    }
    merge.begin(workers: 2)
    merge.register([piece(2, 0, 1)])
    // One worker finishes everything before the other starts its last slice.
    finish(6..<12)
    finish(0..<6)
    #expect(finalBuckets.isEmpty)
    merge.register([piece(1, 2, 10), piece(0, 6, 100), piece(0, 7, 1000)])
    finish(9..<12)
    #expect(finalBuckets.isEmpty)
    // A range with parts of two buckets; the last bucket is never early.
    finish(5..<9)
    #expect(finalBuckets == [0])
    finish(0..<5)
    #expect(finalBuckets == [0, 1])
    let (sums, first) = merge.remainder()
    #expect(sums.count == 1 && first == 2)
  }

  /// A final bucket waits for the ones before it, because all ranks exchange them in one order.
  @Test
  func bucketsAreHandedOnInTheirOrder() {
    let merge = merge(nodes: [Node(level: 0, index: 0)])
    var finalBuckets: [Int] = []
    merge.begin(workers: 1)
    merge.register([piece(0, 0, 1)])
    merge.finish(4..<8) { bucket, _ in finalBuckets.append(bucket) }
    #expect(finalBuckets.isEmpty)
    merge.finish(8..<12) { bucket, _ in finalBuckets.append(bucket) }
    #expect(finalBuckets == [0, 1])
  }

  /// The sum depends on the order: 1e8 + 1 - 1e8 is 0, and 1e8 - 1e8 + 1 is 1.
  @Test
  func sumsFollowTheTree() throws {
    let merge = merge(nodes: [Node(level: 2, index: 0)])
    merge.begin(workers: 2)
    // Workers register in any order.
    merge.register([piece(1, 1, 1)])
    let first = piece(0, 0, 1e8)
    merge.register([first, piece(0, 1, -1e8)])
    let sum = try #require(merge.remainder().sums.first)
    #expect(sum.output === first.gradient)
    sum.add(4..<8)
    #expect(
      values(sum.output)
        == [Float](repeating: 1e8, count: 4) + [Float](repeating: 1, count: 4)
        + [Float](repeating: 1e8, count: 4))
  }

  /// A rank's slices may form several subtrees, and a rank may have no slices.
  @Test
  func aRankBringsAPieceForEachOfItsSubtrees() {
    let several = merge(nodes: [Node(level: 0, index: 1), Node(level: 1, index: 1)])
    several.begin(workers: 2)
    several.register([piece(0, 1, 1), piece(0, 2, 2)])
    several.register([piece(0, 3, 3)])
    let sums = several.remainder().sums
    for sum in sums { sum.add(0..<12) }
    #expect(sums.map { $0.output.base[0] } == [1, 5])
    let none = merge(nodes: [])
    none.begin(workers: 0)
    #expect(none.remainder().sums.isEmpty && none.remainder().firstBucket == 0)
  }
}
