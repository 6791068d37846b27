import Layers
import Tensors

/// The ranges of matrices in the flat vector, which have no second moment.
struct MatrixRanges: Sendable {
  /// Disjoint ranges in ascending order.
  private let ranges: [Range<Int>]

  /// `matrices` are in the order of the vector.
  init(_ matrices: [Parameter]) { ranges = matrices.map(\.range) }

  /// The parts of the matrices in `range`, in order.
  func inside(_ range: Range<Int>) -> [Range<Int>] {
    let first = firstPosition(in: ranges.count) { ranges[$0].upperBound > range.lowerBound }
    return ranges[first...].prefix { $0.lowerBound < range.upperBound }
      .map { $0.clamped(to: range) }
  }

  /// The parts of `range` between and around the matrices, in order; none is empty.
  func outside(_ range: Range<Int>) -> [Range<Int>] {
    let inside = inside(range)
    let starts = [range.lowerBound] + inside.map(\.upperBound)
    let ends = inside.map(\.lowerBound) + [range.upperBound]
    return zip(starts, ends).filter { $0 < $1 }.map { $0..<$1 }
  }

  /// The number of floats of `range` that belong to no matrix.
  func outsideCount(_ range: Range<Int>) -> Int {
    range.count - inside(range).reduce(0) { $0 + $1.count }
  }
}
