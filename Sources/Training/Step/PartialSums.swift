import Collectives
import Tensors

/// A worker's gradients: the slice that is being computed, and sums of the slices before it.
///
/// Slices arrive in order and are added like the digits of a binary counter: two sibling subtrees
/// of the `ReductionTree` become their parent. So a worker of k slices holds about log2(k) + 1
/// gradients.
///
/// The last slice is not added here. Its gradient becomes final range by range, and `WorkerMerge`
/// adds all remaining pieces of a range in one pass over memory.
struct PartialSums {
  private let tree: ReductionTree
  private(set) var pieces: [Piece] = []
  private var free: [Storage] = []
  private let count: Int

  /// - Parameters:
  ///   - tree: the slices of a step.
  ///   - count: the floats of a gradient.
  init(_ tree: ReductionTree, count: Int) { (self.tree, self.count) = (tree, count) }

  /// Returns a gradient of zeros for the next slice.
  mutating func next() -> Storage {
    guard let storage = free.popLast() else { return Storage(count: count) }
    storage.clear(0..<count)
    return storage
  }

  /// Appends the gradient of `slice`, which may still be under computation.
  mutating func push(_ gradient: Storage, slice: Int) {
    pieces.append((ReductionTree.Node(level: 0, index: slice), gradient))
  }

  /// Adds sibling subtrees, from the last gradient on, which must be complete.
  ///
  /// As in a `SumPlan`, subtrees are rounded where they are added, if the tree rounds them. Only
  /// siblings of the tree are added, never merely adjacent sums: float addition is not associative,
  /// so the tree decides the bits.
  mutating func carry() {
    while pieces.count > 1, let last = pieces.last {
      let before = pieces[pieces.count - 2]
      guard before.node.level == last.node.level, before.node.index ^ 1 == last.node.index,
        last.node.index & 1 == 1
      else { return }
      add(last, to: before)
      free.append(last.gradient)
      pieces.removeLast(2)
      let parent = ReductionTree.Node(level: last.node.level + 1, index: last.node.index >> 1)
      pieces.append((parent, before.gradient))
    }
  }

  private func add(_ right: Piece, to left: Piece) {
    let start = Profile.begin()
    defer { Profile.end(.merging, start) }
    addFloats(
      left.gradient.base, right.gradient.base, count: count,
      isRounded: tree.isRounded(left.node), into: left.gradient.base)
  }

  /// The most gradients that a worker holds for a run of slices.
  static func gradientCount(slices: Range<Int>) -> Int {
    var sums = PartialSums(ReductionTree(sliceCount: 1), count: 0)
    for slice in slices {
      sums.push(sums.next(), slice: slice)
      if slice != slices.upperBound - 1 { sums.carry() }
    }
    return sums.pieces.count + sums.free.count
  }

  /// Makes the memory of all gradients available to the next step.
  mutating func reset() {
    free += pieces.map(\.gradient)
    pieces = []
  }
}
