import Tensors
import Testing

struct StatisticsTests {
  @Test
  func theMedianOfAnEvenCountLiesBetweenTheTwoInTheMiddle() {
    #expect([9.0, 1, 5].median == 5)
    #expect([9.0, 1, 5, 6].median == 5.5)
    #expect([9.0, 1, 5, 6].upperMedian == 6)
    #expect([9.0, 1, 5].upperMedian == 5)
  }

  /// 2, 4, 4, 4, 5, 5, 7, 9 has mean 5, and its squared deviations add up to 32.
  @Test
  func theDeviationIsThatOfASample() {
    let values = [2.0, 4, 4, 4, 5, 5, 7, 9]
    #expect(values.mean == 5)
    #expect(values.sampleStandardDeviation == (32.0 / 7).squareRoot())
    #expect([3.0].sampleStandardDeviation == 0)
  }

  @Test
  func noValuesGiveZeroAndNaNIsNotHidden() {
    let none: [Double] = []
    #expect(none.mean == 0 && none.median == 0 && none.upperMedian == 0)
    #expect(none.sampleStandardDeviation == 0)
    #expect([1, Double.nan, 2].median.isNaN)
  }

  /// The indices of a slice do not start at zero.
  @Test
  func slicesCountFromTheirOwnStart() {
    let values = [100.0, 1, 2, 3]
    #expect(values.suffix(3).median == 2 && values.suffix(3).mean == 2)
  }
}
