import Tensors

/// The fixed binary tree over a step's slices by which gradients are added.
///
/// Slices 0..<S, S a power of two, are its leaves. Whoever holds a run of slices can add exactly the
/// subtrees that lie inside the run; the rest is added by the part's owner. Float addition is not
/// associative, so this tree, and not the number of workers, decides the bits of the sum.
package struct ReductionTree: Sendable, Equatable {
  /// S
  package let sliceCount: Int

  /// - Parameter sliceCount: a power of two.
  package init(sliceCount: Int) {
    precondition(
      sliceCount > 0 && sliceCount & (sliceCount - 1) == 0,
      "\(sliceCount) slices: not a power of two")
    self.sliceCount = sliceCount
  }

  /// The number of slices where a user names none: slices of about 2048 tokens, but no fewer than
  /// workers, as near as a power of two that divides the batch comes to it.
  ///
  /// - Parameters:
  ///   - batch: sequences of a step.
  ///   - tokens: of a step.
  ///   - workers: lanes of all ranks.
  package static func usualSliceCount(batch: Int, tokens: Int, workers: Int) -> Int {
    let wanted = max(workers, tokens / 2048)
    var slices = 1
    while slices < wanted && batch % (2 * slices) == 0 { slices *= 2 }
    return slices
  }

  /// A subtree: the slices from `index` << `level` on, 1 << `level` of them.
  package struct Node: Sendable, Hashable {
    package let level: Int
    package let index: Int

    package init(level: Int, index: Int) {
      self.level = level
      self.index = index
    }

    /// The slices below it.
    package var slices: Range<Int> { index << level..<(index + 1) << level }
    /// Its two halves, in order.
    var children: (Node, Node) {
      (Node(level: level - 1, index: 2 * index), Node(level: level - 1, index: 2 * index + 1))
    }
  }

  /// The whole tree.
  package var root: Node { Node(level: sliceCount.trailingZeroBitCount, index: 0) }

  /// The contiguous run of slices of `worker` of `workers`.
  package func run(of worker: Int, of workers: Int) -> Range<Int> {
    Self.share(0..<sliceCount, of: worker, of: workers)
  }

  /// The part of `range` that falls to `worker` of `workers`: contiguous, as even as can be.
  package static func share(_ range: Range<Int>, of worker: Int, of workers: Int) -> Range<Int> {
    range.lowerBound + range.count * worker / workers..<range.lowerBound + range.count
      * (worker + 1) / workers
  }

  /// The largest subtrees that make up a run of slices, in order.
  package static func pieces(of run: Range<Int>) -> [Node] {
    var result: [Node] = []
    var start = run.lowerBound
    while start < run.upperBound {
      var level = start == 0 ? Int.bitWidth - 2 : start.trailingZeroBitCount
      while 1 << level > run.upperBound - start { level -= 1 }
      result.append(Node(level: level, index: start >> level))
      start += 1 << level
    }
    return result
  }
}

/// How to add one subtree from pieces that lie below it: which piece, or which two sums.
package indirect enum SumPlan: Sendable {
  /// The piece of this number.
  case piece(Int)
  case sum(SumPlan, SumPlan)

  /// The plan for `node` from `pieces`, which cover it; nil when they do not.
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

  /// The sums that are held at one time while adding.
  private var depth: Int {
    switch self {
    case .piece: 0
    case .sum(let left, let right): 1 + max(left.depth, right.depth)
    }
  }

  /// Adds the floats of every piece, block by block, into `output`, which may be one of the pieces.
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

  /// Where the sum of a block stands: in a piece itself, or at the front of `scratch`.
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
