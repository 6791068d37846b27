import Electra
import Foundation
import Platform

/// The share of minimal pairs whose acceptable sentence a model prefers, in total and by
/// phenomenon.
///
/// A tie counts half, as a guess would.
package struct PairAccuracy: Sendable, Equatable {
  /// The pairs of a phenomenon, or all pairs.
  package struct Count: Sendable, Equatable {
    /// The phenomenon; `all` for the total.
    package let name: String
    package fileprivate(set) var pairs = 0
    /// Two for each pair whose acceptable sentence has the higher score, one for each tie.
    package fileprivate(set) var halves = 0
    /// The pairs whose sentences have equal scores.
    package fileprivate(set) var ties = 0

    /// The accuracy, p; NaN without pairs.
    package var accuracy: Double { Double(halves) / Double(2 * pairs) }
    /// The standard error of the accuracy on n pairs.
    ///
    /// A pair counts 1, 1/2 or 0; the variance of these numbers is (wins + ties / 4) / n - p^2,
    /// which is p (1 - p) without ties. The standard error is sqrt(variance / n).
    package var standardError: Double {
      let wins = Double(halves - ties) / 2
      let variance = (wins + Double(ties) / 4) / Double(pairs) - accuracy * accuracy
      return (variance / Double(pairs)).squareRoot()
    }
  }

  /// The phenomena in the order of the file; empty in a file that names none.
  package private(set) var phenomena: [Count]
  package private(set) var total = Count(name: "all")
  /// The pairs whose sentences have the same tokens, because the vocabulary lacks their words.
  package private(set) var equalPairs = 0

  init(phenomena: [String]) { self.phenomena = phenomena.map { Count(name: $0) } }

  /// Counts a pair whose sentences have the same tokens.
  mutating func addTie(_ phenomenon: Int) {
    equalPairs += 1
    add(halves: 1, phenomenon)
  }

  /// Counts a pair: 2 if the acceptable sentence has the higher score, 1 for a tie, else 0.
  mutating func add(halves: Int, _ phenomenon: Int) {
    total.pairs += 1
    total.halves += halves
    total.ties += halves == 1 ? 1 : 0
    if phenomena.isEmpty { return }
    phenomena[phenomenon].pairs += 1
    phenomena[phenomenon].halves += halves
    phenomena[phenomenon].ties += halves == 1 ? 1 : 0
  }

  /// The accuracies in one line, for a log: `determiners 0.580, negation 0.640`.
  package var line: String {
    phenomena.map { "\($0.name) " + String(format: "%.3f", $0.accuracy) }.joined(separator: ", ")
  }
}

// Output of `electra evaluate --minimal-pairs`.

extension PairAccuracy {
  /// A table with a line per phenomenon and one for all pairs.
  package var table: String {
    let width = phenomena.map(\.name.count).max() ?? 0
    return (phenomena + [total]).map { count in
      "  " + count.name.leftAligned(max(24, width))
        + String(format: " %6.2f %% +- %5.2f", 100 * count.accuracy, 100 * count.standardError)
        + "  of \(count.pairs.of("pair"))"
    }.joined(separator: "\n")
  }

  /// One line of JSON: accuracy, standard error and pairs, and an object per phenomenon.
  ///
  /// `step` is the step of the checkpoint; nil for other models.
  package func json(step: Int?, score: PairScorer.Score) throws -> String {
    try Document(
      step: step, score: score.rawValue, pairs: total.pairs, accuracy: total.accuracy,
      standardError: total.standardError, equalPairs: equalPairs,
      phenomena: phenomena.map {
        .init(
          phenomenon: $0.name, pairs: $0.pairs, accuracy: $0.accuracy,
          standardError: $0.standardError)
      }
    ).json()
  }

  private struct Document: Encodable {
    let step: Int?
    let score: String
    let pairs: Int
    let accuracy: Double
    let standardError: Double
    let equalPairs: Int
    let phenomena: [Phenomenon]

    struct Phenomenon: Encodable {
      let phenomenon: String
      let pairs: Int
      let accuracy: Double
      let standardError: Double

      enum CodingKeys: String, CodingKey {
        case phenomenon, pairs, accuracy
        case standardError = "standard_error"
      }
    }

    enum CodingKeys: String, CodingKey {
      case step, score, pairs, accuracy, phenomena
      case standardError = "standard_error"
      case equalPairs = "equal_pairs"
    }
  }
}
