import Layers
import Tensors
import Testing

struct PairCountsTests {
  /// Overlapping scores of a positive and a negative class, a quarter of which are rounded to ties.
  private static func scores(_ count: Int) -> (positives: [Float], negatives: [Float]) {
    let stream = RandomStream(seed: 1, site: 2, step: 0, sequence: 0)
    let scores = (0..<2 * count).map { index -> Float in
      let score = Float(stream.number(below: 4001, index: index)) / 1000 - 2
      return index % 4 == 0 ? score.rounded() : score
    }
    return (scores.prefix(count).map { $0 + 0.25 }, Array(scores.suffix(count)))
  }

  @Test
  func everyPairIsCounted() {
    let (positives, negatives) = Self.scores(200)
    let counts = PairCounts(positives: positives, negatives: Array(negatives.dropLast(50)))
    var ordered = 0.0
    for positive in positives {
      for negative in negatives.dropLast(50) {
        ordered += positive > negative ? 1 : positive == negative ? 0.5 : 0
      }
    }
    #expect(counts.ordered == ordered && counts.all == 200 * 150)
    let area = areaUnderCurve(positives: positives, negatives: Array(negatives.dropLast(50)))
    #expect(abs(counts.areaUnderCurve - area) < 1e-15 && (0.5..<0.7).contains(area))
  }

  /// Steps with other offsets have the same order of scores, which pooled scores would not show.
  @Test
  func batchesMayHaveDifferentOffsets() {
    let (positives, negatives) = Self.scores(100)
    let one = PairCounts(positives: positives, negatives: negatives)
    var sum = PairCounts()
    for offset in [0, 16, -16] as [Float] {
      sum.add(
        PairCounts(
          positives: positives.map { $0 + offset }, negatives: negatives.map { $0 + offset }))
    }
    #expect(abs(sum.areaUnderCurve - one.areaUnderCurve) < 0.01)
    let pooled = areaUnderCurve(
      positives: positives.map { $0 - 16 }, negatives: negatives.map { $0 + 16 })
    #expect(pooled == 0)
  }

  @Test
  func aClassThatIsAbsentHasNoArea() {
    var counts = PairCounts(positives: [1], negatives: [])
    #expect(counts.areaUnderCurve.isNaN && PairCounts().areaUnderCurve.isNaN)
    counts.add(PairCounts(positives: [], negatives: [-1]))
    #expect(counts.areaUnderCurve.isNaN, "pairs never span two batches")
    counts.add(PairCounts(positives: [2], negatives: [-.infinity, 2]))
    #expect(counts.areaUnderCurve == 0.75)
    // The two zeros tie, and both score above negative numbers.
    #expect(PairCounts(positives: [0, -0.0], negatives: [-0.0, -1e-30]).areaUnderCurve == 0.75)
  }
}
