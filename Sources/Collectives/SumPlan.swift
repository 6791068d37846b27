import Tensors

/// How to compute a node of the tree from given pieces: an expression of additions.
package indirect enum SumPlan: Sendable {
  /// The piece with this index.
  case piece(Int)
  /// The sum of two subtrees, left plus right, both rounded to bfloat16 first if `isRounded`.
  case sum(SumPlan, SumPlan, isRounded: Bool)

  /// A piece that is added: a vector of floats, or of bfloat16 numbers as they were sent.
  package enum Summand {
    case float32(UnsafeMutablePointer<Float>)
    case bfloat16(UnsafeMutableRawPointer)
  }

  /// The plan for `node` of `tree` from `pieces`; nil if the pieces do not cover the node.
  ///
  /// Nodes are rounded when they are added, hence pieces may be rounded already or not. The root is
  /// never added to another node, so it is not rounded.
  package init?(
    _ node: ReductionTree.Node, of tree: ReductionTree, from pieces: [ReductionTree.Node]
  ) {
    if let number = pieces.firstIndex(of: node) {
      self = .piece(number)
      return
    }
    guard node.level > 0, let left = SumPlan(node.children.0, of: tree, from: pieces),
      let right = SumPlan(node.children.1, of: tree, from: pieces)
    else { return nil }
    self = .sum(left, right, isRounded: tree.isRounded(node.children.0))
  }

  /// The number of temporary blocks that `value` needs besides that of its result.
  private var depth: Int {
    switch self {
    case .piece: 0
    case .sum(let left, let right, _): 1 + max(left.depth, right.depth)
    }
  }

  /// Computes the sum of the pieces into `output`, which may be one of the pieces.
  ///
  /// `pieces` has `count` numbers for each piece of the plan. The work is done in blocks of 4096
  /// numbers, whose temporary sums stay in the cache. A block of `output` is written after the
  /// block was read from all pieces, hence `output` may be a piece.
  package func add(
    _ pieces: [Summand], count: Int, into output: UnsafeMutablePointer<Float>
  ) {
    let start = Profile.begin()
    defer { Profile.end(.merging, start) }
    if case .piece(let number) = self, case .float32(let piece) = pieces[number], piece == output {
      return
    }
    let block = 4096
    withUnsafeTemporaryAllocation(of: Float.self, capacity: block * (depth + 1)) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      for start in stride(from: 0, to: count, by: block) {
        let range = start..<min(start + block, count)
        let sum = value(pieces, range, scratch: scratch, block: block)
        (output + start).update(from: sum, count: range.count)
      }
    }
  }

  /// Computes the sum of one block and returns its address: in a piece, or the beginning of
  /// `scratch`.
  ///
  /// The left half may use all of `scratch`; the right half must not overwrite its result, so it
  /// starts one block later. The sum may then overwrite the left half element by element.
  private func value(
    _ pieces: [Summand], _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>, block: Int
  ) -> UnsafeMutablePointer<Float> {
    switch self {
    case .piece(let number):
      switch pieces[number] {
      case .float32(let piece): return piece + range.lowerBound
      case .bfloat16(let piece):
        widenFloats(piece + 2 * range.lowerBound, count: range.count, into: scratch)
        return scratch
      }
    case .sum(let left, let right, let isRounded):
      let a = left.value(pieces, range, scratch: scratch, block: block)
      let b = right.value(pieces, range, scratch: scratch + block, block: block)
      addFloats(a, b, count: range.count, isRounded: isRounded, into: scratch)
      return scratch
    }
  }
}
