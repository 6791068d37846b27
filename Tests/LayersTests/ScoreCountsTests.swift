import Layers
import Tensors
import Testing

struct ScoreCountsTests {
  /// Overlapping scores of a positive and a negative class, a quarter of which are rounded to ties.
  private static func scores(_ count: Int) -> (positives: [Float], negatives: [Float]) {
    let stream = RandomStream(seed: 1, site: 2, step: 0, sequence: 0)
    let scores = (0..<2 * count).map { index -> Float in
      let score = Float(stream.number(below: 4001, index: index)) / 1000 - 2
      return index % 4 == 0 ? score.rounded() : score
    }
    return (scores.prefix(count).map { $0 + 0.3 }, Array(scores.suffix(count)))
  }

  /// `score` truncated to the resolution of a bin.
  private static func rounded(_ score: Float) -> Float {
    Float(bitPattern: score.bitPattern & 0xFFFF_0000)
  }

  @Test
  func scoresOfBfloat16HaveTheExactArea() {
    let (positives, negatives) = Self.scores(3000)
    let (high, low) = (positives.map(Self.rounded), negatives.map(Self.rounded))
    var counts = ScoreCounts()
    counts.add(positives: high, negatives: low)
    #expect(counts.areaUnderCurve == areaUnderCurve(positives: high, negatives: low))
    #expect((0.5..<0.7).contains(counts.areaUnderCurve))
    // Less than 1 % of all pairs share a bin; each of these contributes an error of at most 1/2.
    counts = ScoreCounts()
    counts.add(positives: positives, negatives: negatives)
    let exact = areaUnderCurve(positives: positives, negatives: negatives)
    #expect(abs(counts.areaUnderCurve - exact) < 0.005, "\(counts.areaUnderCurve), \(exact)")
  }

  @Test
  func theOrderOfScoresDoesNotMatter() {
    let (positives, negatives) = Self.scores(500)
    var whole = ScoreCounts()
    whole.add(positives: positives, negatives: negatives)
    var parts = ScoreCounts()
    parts.add(positives: positives.suffix(100).reversed(), negatives: [])
    var other = ScoreCounts()
    other.add(positives: positives.dropLast(100), negatives: negatives.reversed())
    parts.add(triples: other.triples)
    #expect(parts == whole && parts.triples == whole.triples)
    parts.add(triples: [1 << 16, 1, 1, 5])
    #expect(parts == whole, "bins that do not exist")
  }

  @Test
  func aClassThatIsAbsentHasNoArea() {
    var counts = ScoreCounts()
    #expect(counts.areaUnderCurve.isNaN && counts.triples.isEmpty)
    counts.add(positives: [1], negatives: [])
    #expect(counts.areaUnderCurve.isNaN)
    counts.add(positives: [], negatives: [-.infinity])
    #expect(counts.areaUnderCurve == 1)
    // The two zeros tie, and both score above negative numbers.
    counts = ScoreCounts()
    counts.add(positives: [0, -0.0], negatives: [-0.0, -1e-30])
    #expect(counts.areaUnderCurve == 0.75)
  }
}
