import Reports
import Testing

struct AgreementTests {
  private func agreement(
    _ systems: [(name: String, paperRank: Int, values: [Double])]
  ) -> Agreement {
    Agreement(
      systems.map {
        Agreement.Entry(name: $0.name, paperRank: $0.paperRank, sample: Sample($0.values))
      })
  }

  @Test
  func theSameOrderAgreesAndItsReverseDoesNot() {
    let same = agreement([("a", 1, [3]), ("b", 2, [2]), ("c", 3, [1])])
    #expect(same.pairs == 3 && same.agreeing == 3 && same.correlation == 1)
    #expect(same.sentences == ["Pairs in the paper's order: 3 of 3 (rank correlation 1.00)."])
    let reverse = agreement([("a", 1, [1]), ("b", 2, [2]), ("c", 3, [3])])
    #expect(reverse.correlation == -1 && reverse.exceptions.count == 3)
  }

  /// Standard deviations of 3 and 4 give 5 for the difference of two single seeds.
  @Test
  func anExceptionHasTheDeviationOfADifference() throws {
    let half = 0.5.squareRoot()
    let swapped = agreement([
      ("first", 1, [50 - 3 * half, 50 + 3 * half]), ("second", 2, [52 - 4 * half, 52 + 4 * half]),
    ])
    let exception = try #require(swapped.exceptions.first)
    #expect(exception.above == "second" && exception.below == "first")
    // The tolerance allows for the rounding of a few sums.
    #expect(abs(exception.difference - 2) < 1e-12 && abs(exception.standardDeviation - 5) < 1e-12)
    #expect(swapped.sentences[0].hasSuffix("Exceptions: second above first by 2.0 ± 5.0."))
  }

  @Test
  func equalRanksAreNotComparedAndEqualScoresAgreeWithNothing() {
    #expect(agreement([("a", 1, [1]), ("b", 1, [2])]).sentences == [])
    let tie = agreement([("a", 1, [1]), ("b", 2, [1])])
    #expect(tie.pairs == 1 && tie.agreeing == 0 && tie.exceptions.isEmpty && tie.correlation == 0)
  }
}
