import Tensors

/// The fixed binary tree by which the gradients of the slices of a step are added.
///
/// The leaves are slices 0..<S, S a power of two; an inner node is the sum of its two halves. Float
/// addition is not associative, so the order of additions decides the bits of the sum. The order is
/// that of this tree for any number of ranks and workers:
///
///     slices     0   1   2   3   4   5   6   7
///     sum      ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7))
///     3 ranks    rank 0: 0+1    rank 1: 2+3, 4    rank 2: 5, 6+7
///
/// A worker or rank has a contiguous range of slices. It adds the maximal subtrees inside the
/// range, its pieces. The owner of a part of the vector receives the pieces of all ranks and adds
/// them up to the root (`SumPlan`).
///
/// In an exchange in bfloat16, every node from the rounding level on, except the root, is rounded
/// to bfloat16 before it is added to another, whether it is sent or not. So the bits are again the
/// same for any ranks and workers.
package struct ReductionTree: Sendable, Equatable {
  /// The number of slices, S.
  package let sliceCount: Int
  /// The lowest level whose nodes are rounded to bfloat16; nil for an exchange in float32.
  ///
  /// Level l has the sums of 2^l slices. From log2(S) on, the level of the root, nothing is
  /// rounded.
  package let roundingLevel: Int?

  /// Creates the tree over `sliceCount` slices, a power of two.
  package init(sliceCount: Int, roundingLevel: Int? = nil) {
    precondition(
      sliceCount > 0 && sliceCount & (sliceCount - 1) == 0,
      "\(sliceCount) slices: not a power of two")
    self.sliceCount = sliceCount
    self.roundingLevel = roundingLevel
  }

  /// The default rounding level for `ranks` ranks: floor(log2(S / ranks)), at least 0.
  ///
  /// With a power of two of at most S ranks, each rank then adds its slices in float32 and sends
  /// one rounded sum.
  package func defaultRoundingLevel(ranks: Int) -> Int {
    var level = 0
    while ranks << (level + 1) <= sliceCount { level += 1 }
    return level
  }

  /// Whether `node` is rounded to bfloat16 before it is added to another or sent.
  package func isRounded(_ node: Node) -> Bool {
    guard let roundingLevel else { return false }
    return node.level >= roundingLevel && node != root
  }

  /// The bytes of `count` numbers of `node` as they are sent.
  func bytes(of node: Node, count: Int) -> Int { (isRounded(node) ? 2 : 4) * count }

  /// The default number of slices: about 2048 tokens per slice, but at least one slice per worker.
  ///
  /// The result is the smallest power of two that satisfies both, or the largest power of two that
  /// divides the batch if that is smaller.
  ///
  /// - Parameters:
  ///   - batch: sequences per step.
  ///   - tokens: tokens per step.
  ///   - workers: worker threads of all ranks.
  /// - Returns: a power of two that divides `batch`.
  package static func defaultSliceCount(batch: Int, tokens: Int, workers: Int) -> Int {
    let wanted = max(workers, tokens / 2048)
    var slices = 1
    while slices < wanted && batch % (2 * slices) == 0 { slices *= 2 }
    return slices
  }

  /// A node, by its height and its position: the sum of 1 << `level` slices from `index` << `level`
  /// on.
  package struct Node: Sendable, Hashable {
    package let level: Int
    package let index: Int

    package init(level: Int, index: Int) {
      self.level = level
      self.index = index
    }

    /// The slices that the node adds.
    package var slices: Range<Int> { index << level..<(index + 1) << level }
    /// The two halves, in order; not for level 0.
    var children: (Node, Node) {
      (Node(level: level - 1, index: 2 * index), Node(level: level - 1, index: 2 * index + 1))
    }
  }

  /// The root: the sum of all slices.
  package var root: Node { Node(level: sliceCount.trailingZeroBitCount, index: 0) }

  /// The contiguous range of slices of `worker` out of `workers`.
  package func slices(of worker: Int, of workers: Int) -> Range<Int> {
    Self.share(0..<sliceCount, of: worker, of: workers)
  }

  /// The contiguous part of `range` for `worker` out of `workers`; sizes differ by at most one.
  package static func share(_ range: Range<Int>, of worker: Int, of workers: Int) -> Range<Int> {
    range.lowerBound + range.count * worker / workers..<range.lowerBound + range.count
      * (worker + 1) / workers
  }

  /// The maximal subtrees inside a range of slices, in order; together they cover the range.
  package static func pieces(of slices: Range<Int>) -> [Node] {
    var result: [Node] = []
    var start = slices.lowerBound
    while start < slices.upperBound {
      // A subtree of level l starts at a multiple of 1 << l: take the largest one that fits.
      var level = start == 0 ? Int.bitWidth - 2 : start.trailingZeroBitCount
      while 1 << level > slices.upperBound - start { level -= 1 }
      result.append(Node(level: level, index: start >> level))
      start += 1 << level
    }
    return result
  }
}
