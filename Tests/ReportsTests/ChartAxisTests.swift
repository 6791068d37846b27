import Reports
import Testing

struct ChartAxisTests {
  private func axis(_ values: [Double], isLogarithmic: Bool = false) -> ChartAxis {
    ChartAxis(holding: values, isLogarithmic: isLogarithmic) { "\($0)" }
  }

  @Test(arguments: [
    (0.03, 0.05), (0.05, 0.05), (1, 1), (1.2, 2), (3, 5), (5.001, 5), (6, 10), (0.0007, 0.001),
  ])
  func stepsAreOneTwoOrFiveTimesAPowerOfTen(step: Double, rounded: Double) {
    #expect(abs(ChartAxis.roundStep(step) / rounded - 1) < 1e-12)
  }

  @Test(arguments: [[1.3, 7.9], [0, 0.013], [-4, 4], [95, 95], [10.31], [0], []])
  func linearTicksEncloseTheValues(values: [Double]) throws {
    let axis = axis(values)
    let (first, last) = (try #require(axis.ticks.first), try #require(axis.ticks.last))
    #expect(axis.ticks.count >= 2 && axis.ticks.count <= 7)
    #expect(values.allSatisfy { first <= $0 && $0 <= last && axis.holds($0) })
    #expect(axis.position(first) == 0 && axis.position(last) == 1)
    // A narrow range of large values leaves few digits of the difference.
    #expect(abs(axis.position((first + last) / 2) - 0.5) < 1e-9)
    // Values outside are clamped to the ends.
    #expect(axis.position(last + 1) == 1 && axis.position(first - 1) == 0)
    #expect(!axis.holds(last + 1))
  }

  @Test
  func anAxisBeginsAndEndsWithMultiplesOfItsStep() {
    let axis = ChartAxis(from: 49.6, to: 61.2, step: 2) { "\(Int($0))" }
    #expect(axis.ticks.map(axis.label) == ["48", "50", "52", "54", "56", "58", "60", "62"])
    #expect(ChartAxis(from: 50, to: 50, step: 2) { "\($0)" }.ticks == [50, 52])
  }

  @Test(arguments: [
    ([1, 1000], [1, 10, 100, 1000]), ([2, 30], [2, 5, 10, 20]),
    ([1e3, 1e12], [1e4, 1e6, 1e8, 1e10, 1e12]),
    ([3, 3], [2, 5]),
  ])
  func ratiosHaveTicksAtRoundNumbers(values: [Double], ticks: [Double]) {
    let axis = axis(values, isLogarithmic: true)
    #expect(axis.ticks.count == ticks.count, "\(axis.ticks)")
    for (tick, wanted) in zip(axis.ticks, ticks) { #expect(abs(tick / wanted - 1) < 1e-12) }
  }

  /// Numbers that JSON can hold, and whose range or ratio no `Double` can.
  @Test(arguments: [
    [-1.7e308, 1.7e308], [1.7e308, 1.7e308], [Double.leastNonzeroMagnitude],
    [Double.leastNonzeroMagnitude, 1.7e308],
  ])
  func extremeValuesHaveAnAxis(values: [Double]) {
    for isLogarithmic in [false, true] {
      let axis = axis(values, isLogarithmic: isLogarithmic)
      #expect(axis.ticks.allSatisfy { $0.isFinite })
      #expect(values.allSatisfy { (0...1).contains(axis.position($0)) })
    }
  }

  /// Seven characters of "1.2e-05" at 0.64 of a font size of 10.
  @Test
  func theLongestLabelGivesTheWidth() {
    let axis = ChartAxis(.linear(0...1), ticks: [0, 1]) { $0 == 0 ? "0" : "1.2e-05" }
    #expect(abs(axis.labelWidth(fontSize: 10) - 44.8) < 1e-9)
    #expect(ChartAxis(.linear(0...1), ticks: []) { _ in "" }.labelWidth(fontSize: 10) == 0)
  }

  @Test
  func theSameRatioIsTheSameDistance() {
    let axis = axis([1, 100], isLogarithmic: true)
    #expect(abs(axis.position(10) - 0.5) < 1e-12 && abs(axis.position(1)) < 1e-12)
    // Zero has no logarithm: it is clamped, and an axis that contains it is linear.
    #expect(axis.position(0) == 0)
    #expect(self.axis([0, 100], isLogarithmic: true).position(50) == 0.5)
  }
}
