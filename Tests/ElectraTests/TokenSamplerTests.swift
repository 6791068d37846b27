import Electra
import Tensors
import Testing

struct TokenSamplerTests {
  private let stream = RandomStream(seed: 1, site: 2, step: 3, sequence: 4)
  private let draws = 60_000

  /// How often each token is drawn.
  private func histogram(_ counts: [Int], excluding excluded: Int32? = nil) -> [Int] {
    let sampler = TokenSampler(counts: counts)
    var result = [Int](repeating: 0, count: counts.count)
    for index in 0..<draws {
      result[Int(sampler.sample(stream, index: index, excluding: excluded))] += 1
    }
    return result
  }

  /// Expects binomial counts within four standard deviations, which are 0 for probabilities 0 and
  /// 1.
  private func expect(_ hits: [Int], _ probabilities: [Double]) {
    for (count, p) in zip(hits, probabilities) {
      let standardDeviation = (Double(draws) * p * (1 - p)).squareRoot()
      #expect(abs(Double(count) - Double(draws) * p) <= 4 * standardDeviation, "\(hits)")
    }
  }

  @Test
  func tokensAreDrawnByTheirFrequency() {
    expect(histogram([0, 3, 0, 1, 2]), [0, 0.5, 0, 1.0 / 6, 1.0 / 3])
    expect(histogram([0, 0, 7]), [0, 0, 1])
  }

  @Test
  func anExcludedTokenIsDrawnOnlyWhereThereIsNoOther() {
    expect(histogram([0, 3, 0, 1, 2], excluding: 1), [0, 0, 0, 1.0 / 3, 2.0 / 3])
    expect(histogram([0, 3, 0, 1, 2], excluding: 4), [0, 0.75, 0, 0.25, 0])
    expect(histogram([0, 3, 0, 1, 2], excluding: 0), [0, 0.5, 0, 1.0 / 6, 1.0 / 3])
    expect(histogram([0, 3, 0], excluding: 1), [0, 1, 0])
  }

  /// Counts above the range of a 32-bit random word are scaled down.
  @Test
  func countsOfTrillionsKeepTheirProportions() {
    expect(histogram([3 << 40, 1 << 40, 0]), [0.75, 0.25, 0])
  }

  @Test
  func aVocabularyThatNeverOccursIsAMistakeOfTheProgram() async {
    await #expect(processExitsWith: .failure) { _ = TokenSampler(counts: [0, 0]) }
  }
}
