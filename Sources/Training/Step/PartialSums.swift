import Collectives
import Tensors

/// A worker's gradients: the slice that is being computed, and sums of those before it.
///
/// Slices arrive in order and are added like a binary counter: two subtrees that are siblings become
/// one. The last slice is left as it is, so that all remaining additions happen in one sweep, range
/// by range, when workers merge. So a worker of k slices holds about log2(k) + 1 gradients.
struct PartialSums {
  private(set) var pieces: [Piece] = []
  private var free: [Storage] = []
  private let count: Int

  /// - Parameter count: the floats of a gradient.
  init(count: Int) { self.count = count }

  /// A gradient of zeros for the next slice.
  mutating func next() -> Storage {
    guard let storage = free.popLast() else { return Storage(count: count) }
    storage.clear(0..<count)
    return storage
  }

  /// Takes the gradient of `slice`, which need not be finished yet.
  mutating func push(_ gradient: Storage, slice: Int) {
    pieces.append((ReductionTree.Node(level: 0, index: slice), gradient))
  }

  /// Adds what can be added, now that the last gradient is finished.
  mutating func carry() {
    while pieces.count > 1, let last = pieces.last {
      let before = pieces[pieces.count - 2]
      guard before.node.level == last.node.level, before.node.index ^ 1 == last.node.index,
        last.node.index & 1 == 1
      else { return }
      addFloats(last.gradient.base, to: before.gradient.base, count: count)
      free.append(last.gradient)
      pieces.removeLast(2)
      let parent = ReductionTree.Node(level: last.node.level + 1, index: last.node.index >> 1)
      pieces.append((parent, before.gradient))
    }
  }

  /// The gradients that a worker comes to hold for a run of slices.
  static func gradientCount(slices: Range<Int>) -> Int {
    var sums = PartialSums(count: 0)
    for slice in slices {
      sums.push(sums.next(), slice: slice)
      if slice != slices.upperBound - 1 { sums.carry() }
    }
    return sums.pieces.count + sums.free.count
  }

  /// Gives all gradients back for the next step.
  mutating func reset() {
    free += pieces.map(\.gradient)
    pieces = []
  }
}
