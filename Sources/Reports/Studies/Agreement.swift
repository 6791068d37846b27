import Foundation

/// How far an order by scores agrees with an order by places: of all pairs that the places tell apart.
package struct Agreement {
  package struct Entry {
    let name: String
    let place: Int
    let sample: Sample

    package init(name: String, place: Int, sample: Sample) {
      (self.name, self.place, self.sample) = (name, place, sample)
    }
  }

  /// A pair whose scores are not in the order of the places: `above` has the lower place.
  package struct Exception {
    package let above: String
    package let below: String
    package let difference: Double
    /// Of the difference of two single seeds.
    package let deviation: Double
  }

  package let pairs: Int
  /// Pairs in the order of the places; equal scores are in none.
  package let agreeing: Int
  package let exceptions: [Exception]

  package init(_ entries: [Entry]) {
    var (pairs, agreeing, exceptions) = (0, 0, [Exception]())
    for better in entries {
      for worse in entries where better.place < worse.place {
        pairs += 1
        let difference = (worse.sample.mean ?? 0) - (better.sample.mean ?? 0)
        if difference < 0 { agreeing += 1 }
        guard difference > 0 else { continue }
        let (a, b) = (better.sample.deviation, worse.sample.deviation)
        exceptions.append(
          Exception(
            above: worse.name, below: better.name, difference: difference,
            deviation: (a * a + b * b).squareRoot()))
      }
    }
    (self.pairs, self.agreeing, self.exceptions) = (pairs, agreeing, exceptions)
  }

  /// Kendall's rank correlation over these pairs: 1 for the same order, -1 for its reverse.
  package var correlation: Double { Double(agreeing - exceptions.count) / Double(max(1, pairs)) }

  /// None where the paper tells no pair apart or nothing is done.
  package var sentences: [String] {
    guard pairs > 0 else { return [] }
    let order =
      "In the paper's order: \(agreeing) of \(pairs) pairs (rank correlation "
      + String(format: "%.2f).", correlation)
    guard !exceptions.isEmpty else { return [order] }
    let others = exceptions.map {
      "\($0.above) above \($0.below) by "
        + String(format: "%.1f ± %.1f", $0.difference, $0.deviation)
    }
    return [order + " Not so: " + others.joined(separator: "; ") + "."]
  }
}
