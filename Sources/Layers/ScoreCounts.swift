/// Histograms of the scores of two classes in 65,536 bins.
///
/// They give the area under the ROC curve of any number of scores in constant memory.
///
///     var counts = ScoreCounts()
///     counts.add(positives: [2.5, 0.1], negatives: [-1])
///     counts.areaUnderCurve                             // 1
///
/// A bin holds all floats with the same upper 16 bits, so scores that differ by less than 1 in 128
/// may count as ties. Counts are integers, so their sums do not depend on the order of addition.
/// The area is an approximation; `areaUnderCurve(positives:negatives:)` is exact.
package struct ScoreCounts: Sendable, Equatable {
  /// Counts by bin, in ascending order of the scores; empty before the first score.
  private var positives: [Int] = []
  private var negatives: [Int] = []

  package init() {}

  /// Counts scores; NaN is counted as the largest or smallest, by its sign.
  package mutating func add(positives: [Float], negatives: [Float]) {
    guard !positives.isEmpty || !negatives.isEmpty else { return }
    reserve()
    for score in positives { self.positives[Self.bin(score)] += 1 }
    for score in negatives { self.negatives[Self.bin(score)] += 1 }
  }

  /// The non-empty bins: (bin, positives, negatives) of each, end to end.
  package var triples: [Int] {
    positives.indices.filter { positives[$0] + negatives[$0] > 0 }
      .flatMap { [$0, positives[$0], negatives[$0]] }
  }

  /// Adds counts in the form of `triples`, ignoring bins that do not exist.
  package mutating func add(triples: [Int]) {
    if !triples.isEmpty { reserve() }
    for start in stride(from: 0, to: triples.count - 2, by: 3)
    where positives.indices.contains(triples[start]) {
      positives[triples[start]] += triples[start + 1]
      negatives[triples[start]] += triples[start + 2]
    }
  }

  /// The probability that a positive scores above a negative, with half a point for the same bin.
  ///
  /// NaN when either class is absent.
  package var areaUnderCurve: Double {
    var (wins, below, above) = (0.0, 0, 0)
    for (positive, negative) in zip(positives, negatives) {
      wins += Double(positive) * (Double(below) + Double(negative) / 2)
      below += negative
      above += positive
    }
    return above > 0 && below > 0 ? wins / Double(above) / Double(below) : .nan
  }

  private mutating func reserve() {
    guard positives.isEmpty else { return }
    positives = Array(repeating: 0, count: 1 << 16)
    negatives = positives
  }

  /// The bin of a score; a higher score never has a lower bin.
  ///
  /// As unsigned integers, the bits of positive floats ascend and those of negative floats descend.
  /// Flipping the sign bit, or all bits of a negative float, makes the order that of the numbers.
  private static func bin(_ score: Float) -> Int {
    // -0 + 0 is +0, so both zeros get the same bin.
    let bits = (score + 0).bitPattern
    return Int((bits >> 31 == 1 ? ~bits : bits | 1 << 31) >> 16)
  }
}

/// The area under the ROC curve: the probability that a positive scores above a negative, with half
/// a point for ties.
///
/// Exact, by ranking all scores (Mann and Whitney 1947). NaN when either class is absent.
package func areaUnderCurve(positives: [Float], negatives: [Float]) -> Double {
  guard !positives.isEmpty, !negatives.isEmpty else { return .nan }
  let high = positives.sorted()
  let low = negatives.sorted()
  var wins = 0.0
  var below = 0
  var upTo = 0
  for score in high {
    while below < low.count && low[below] < score { below += 1 }
    upTo = max(upTo, below)
    while upTo < low.count && low[upTo] <= score { upTo += 1 }
    wins += Double(below) + Double(upTo - below) / 2
  }
  return wins / Double(high.count) / Double(low.count)
}

extension Tally {
  /// The area under the ROC curve of the scores: exact, or from the histograms where only they were
  /// kept.
  ///
  /// NaN when either class is absent.
  package var areaUnderCurve: Double {
    scoreCounts?.areaUnderCurve
      ?? Layers.areaUnderCurve(positives: positiveScores, negatives: negativeScores)
  }
}
