/// Counts of pairs of a positive and a negative score, for the area under the ROC curve of many
/// batches.
///
///     var counts = PairCounts(positives: [2.5, 0.1], negatives: [1])
///     counts.add(PairCounts(positives: [9], negatives: [8]))
///     counts.areaUnderCurve                             // 2 of 3 pairs
///
/// Pairs never span two batches. While the discriminator's bias moves, the scores of different
/// steps have different offsets, and pooling them would hide how well each step's scores are
/// ordered.
///
/// Counts are multiples of one half, which Double adds exactly below 2^52, so sums do not depend on
/// the order of addition.
package struct PairCounts: Sendable, Equatable {
  /// The pairs whose positive scores above the negative; a tie is half a pair.
  package private(set) var ordered = 0.0
  /// All pairs.
  package private(set) var all = 0.0

  package init() {}

  /// Restores counts; both are 0 or more.
  package init(ordered: Double, all: Double) { (self.ordered, self.all) = (ordered, all) }

  /// Counts the pairs of one batch; none where a class is absent.
  package init(positives: [Float], negatives: [Float]) {
    ordered = orderedPairs(positives, negatives)
    all = Double(positives.count) * Double(negatives.count)
  }

  package mutating func add(_ other: PairCounts) {
    ordered += other.ordered
    all += other.all
  }

  /// The probability that a positive scores above a negative of its batch, with half a point for
  /// ties; NaN without pairs.
  package var areaUnderCurve: Double { all > 0 ? ordered / all : .nan }
}

/// The area under the ROC curve: the probability that a positive scores above a negative, with half
/// a point for ties.
///
/// Exact, by ranking all scores (Mann and Whitney 1947). NaN when either class is absent.
package func areaUnderCurve(positives: [Float], negatives: [Float]) -> Double {
  guard !positives.isEmpty, !negatives.isEmpty else { return .nan }
  return orderedPairs(positives, negatives) / Double(positives.count) / Double(negatives.count)
}

/// The pairs whose positive scores above the negative, with half a pair for ties.
private func orderedPairs(_ positives: [Float], _ negatives: [Float]) -> Double {
  let low = negatives.sorted()
  var pairs = 0.0
  var below = 0
  var upTo = 0
  for score in positives.sorted() {
    while below < low.count && low[below] < score { below += 1 }
    upTo = max(upTo, below)
    while upTo < low.count && low[upTo] <= score { upTo += 1 }
    pairs += Double(below) + Double(upTo - below) / 2
  }
  return pairs
}

extension Tally {
  /// The area under the ROC curve of the scores, or of the pairs where only those were counted.
  ///
  /// NaN when either class is absent.
  package var areaUnderCurve: Double {
    pairCounts?.areaUnderCurve
      ?? Layers.areaUnderCurve(positives: positiveScores, negatives: negativeScores)
  }
}
