import Foundation

/// The agreement of measured scores with the order in the paper, over all pairs that the paper
/// orders.
package struct Agreement {
  /// A system with its rank in the paper, 1 for the best, and its scores over seeds.
  package struct Entry {
    let name: String
    let paperRank: Int
    let sample: Sample

    package init(name: String, paperRank: Int, sample: Sample) {
      (self.name, self.paperRank, self.sample) = (name, paperRank, sample)
    }
  }

  /// A pair in the opposite order: the paper ranks `below` higher, but `above` has the higher mean
  /// score.
  package struct Exception {
    package let above: String
    package let below: String
    package let difference: Double
    /// Standard deviation of the difference of two single seeds.
    package let standardDeviation: Double
  }

  /// Pairs of different rank in the paper.
  package let pairs: Int
  /// Pairs whose mean scores are in the paper's order; equal scores are in no order.
  package let agreeing: Int
  package let exceptions: [Exception]

  /// Compares all pairs of entries; one without scores counts as 0.
  package init(_ entries: [Entry]) {
    var (pairs, agreeing, exceptions) = (0, 0, [Exception]())
    for better in entries {
      for worse in entries where better.paperRank < worse.paperRank {
        pairs += 1
        let difference = (worse.sample.mean ?? 0) - (better.sample.mean ?? 0)
        if difference < 0 { agreeing += 1 }
        guard difference > 0 else { continue }
        let (a, b) = (better.sample.standardDeviation, worse.sample.standardDeviation)
        exceptions.append(
          Exception(
            above: worse.name, below: better.name, difference: difference,
            standardDeviation: (a * a + b * b).squareRoot()))
      }
    }
    (self.pairs, self.agreeing, self.exceptions) = (pairs, agreeing, exceptions)
  }

  /// Kendall's rank correlation over these pairs: 1 for the same order, -1 for the reverse, 0 for
  /// none.
  package var correlation: Double { Double(agreeing - exceptions.count) / Double(max(1, pairs)) }

  /// A sentence on the agreement and the exceptions; none without pairs.
  package var sentences: [String] {
    guard pairs > 0 else { return [] }
    let order =
      "Pairs in the paper's order: \(agreeing) of \(pairs) (rank correlation "
      + String(format: "%.2f).", correlation)
    guard !exceptions.isEmpty else { return [order] }
    let others = exceptions.map {
      "\($0.above) above \($0.below) by "
        + String(format: "%.1f ± %.1f", $0.difference, $0.standardDeviation)
    }
    return [order + " Exceptions: " + others.joined(separator: "; ") + "."]
  }
}
