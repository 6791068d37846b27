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
package struct ReductionTree: Sendable, Equatable {
  /// The number of slices, S.
  package let sliceCount: Int

  /// Creates the tree over `sliceCount` slices, a power of two.
  package init(sliceCount: Int) {
    precondition(
      sliceCount > 0 && sliceCount & (sliceCount - 1) == 0,
      "\(sliceCount) slices: not a power of two")
    self.sliceCount = sliceCount
  }

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

/// How to compute a node of the tree from given pieces: an expression of additions.
package indirect enum SumPlan: Sendable {
  /// The piece with this index.
  case piece(Int)
  /// The sum of two subtrees, left plus right.
  case sum(SumPlan, SumPlan)

  /// The plan for `node` from `pieces`; nil if the pieces do not cover the node.
  package init?(_ node: ReductionTree.Node, from pieces: [ReductionTree.Node]) {
    if let number = pieces.firstIndex(of: node) {
      self = .piece(number)
      return
    }
    guard node.level > 0, let left = SumPlan(node.children.0, from: pieces),
      let right = SumPlan(node.children.1, from: pieces)
    else { return nil }
    self = .sum(left, right)
  }

  /// The number of temporary blocks that `value` needs: the height of the expression.
  private var depth: Int {
    switch self {
    case .piece: 0
    case .sum(let left, let right): 1 + max(left.depth, right.depth)
    }
  }

  /// Computes the sum of the pieces into `output`, which may be one of the pieces.
  ///
  /// `pieces` has a pointer to `count` floats for each piece of the plan. The work is done in
  /// blocks of 4096 floats, whose temporary sums stay in the cache. A block of `output` is written
  /// after the block was read from all pieces, hence `output` may be a piece.
  package func add(
    _ pieces: [UnsafeMutablePointer<Float>], count: Int, into output: UnsafeMutablePointer<Float>
  ) {
    let start = Profile.begin()
    defer { Profile.end(.merging, start) }
    if case .piece(let number) = self {
      if pieces[number] != output { output.update(from: pieces[number], count: count) }
      return
    }
    let block = 4096
    withUnsafeTemporaryAllocation(of: Float.self, capacity: block * (depth + 1)) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      for start in stride(from: 0, to: count, by: block) {
        let length = min(block, count - start)
        let sum = value(pieces, start: start, count: length, scratch: scratch, block: block)
        (output + start).update(from: sum, count: length)
      }
    }
  }

  /// Computes the sum of one block and returns its address: in a piece, or the beginning of
  /// `scratch`.
  ///
  /// The left half may use all of `scratch`; the right half must not overwrite its result, so it
  /// starts one block later. The sum may then overwrite the left half element by element.
  private func value(
    _ pieces: [UnsafeMutablePointer<Float>], start: Int, count: Int,
    scratch: UnsafeMutablePointer<Float>, block: Int
  ) -> UnsafeMutablePointer<Float> {
    switch self {
    case .piece(let number): return pieces[number] + start
    case .sum(let left, let right):
      let a = left.value(pieces, start: start, count: count, scratch: scratch, block: block)
      let b = right.value(
        pieces, start: start, count: count, scratch: scratch + block, block: block)
      for i in 0..<count { scratch[i] = a[i] + b[i] }
      return scratch
    }
  }
}
