/// The factors by which gradient clipping scales the gradient of each parameter.
///
///     let scale = GradientScale(squares, boundaries, groups: [generator], clipNorm: 1)
///     scale.factor(at: parameter.offset)
///
/// Each group of parameters is clipped by its own norm. Without groups there is one factor, that of
/// the global norm.
package struct GradientScale: Sendable, Equatable {
  private var groups: [Range<Int>] = []
  /// The factor of each group.
  private var factors: [Float] = []
  /// The factor of all parameters that are in no group.
  private let rest: Float

  /// One factor for all parameters.
  package init(_ factor: Double) { rest = Float(factor) }

  /// Clips the gradients of each group, and of all other parameters together, to `clipNorm`.
  ///
  /// - Parameters:
  ///   - squares: the sum of squares of each block, in the order of the vector; all are finite.
  ///   - boundaries: the start of every block, and the end of the vector.
  ///   - groups: disjoint ranges of whole parameters.
  ///   - clipNorm: the largest norm of a group.
  package init(
    _ squares: [Double], _ boundaries: [Int], groups: [Range<Int>], clipNorm: Double
  ) {
    // Sums are in the order of the blocks, so their bits do not depend on ranks.
    var sums = groups.map { _ in 0.0 }
    var others = 0.0
    for (square, start) in zip(squares, boundaries) {
      if let group = groups.firstIndex(where: { $0.contains(start) }) {
        sums[group] += square
      } else {
        others += square
      }
    }
    func factor(_ square: Double) -> Float {
      Float(clipNorm / max(clipNorm, square.squareRoot()))
    }
    self.groups = groups
    factors = sums.map(factor)
    rest = factor(others)
  }

  /// The factor of the parameter that has the float at `position`.
  package func factor(at position: Int) -> Float {
    groups.firstIndex { $0.contains(position) }.map { factors[$0] } ?? rest
  }
}
