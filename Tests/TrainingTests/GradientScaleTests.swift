import Testing
import Training

struct GradientScaleTests {
  /// Blocks of 3, 4, 12 and 0.1: groups have the norms 12 and 5, and all together 13.
  private let squares = [9, 16, 144, 0.01]
  private let boundaries = [0, 10, 20, 30, 40]

  @Test
  func eachGroupIsClippedByItsOwnNorm() {
    let scale = GradientScale(squares, boundaries, groups: [20..<30, 0..<20], clipNorm: 1)
    let factors = [0, 10, 20, 30].map { scale.factor(at: $0) }
    #expect(factors == [0.2, 0.2, Float(1.0 / 12), 1])
  }

  @Test
  func withoutGroupsTheGlobalNormDecides() {
    let norm = squares.reduce(0, +).squareRoot()
    let scale = GradientScale(squares, boundaries, groups: [], clipNorm: 2)
    #expect([0, 25].map { scale.factor(at: $0) } == [Float(2 / norm), Float(2 / norm)])
    #expect(scale == GradientScale(2 / norm))
  }
}
