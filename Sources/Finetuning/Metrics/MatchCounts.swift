/// The numbers of correct, predicted and gold items, and their precision, recall and F1.
///
///     var counts = MatchCounts(correct: 1, predicted: 2, support: 4)
///     counts += MatchCounts(correct: 1, predicted: 1, support: 1)
///     counts.recall       // 0.4
///
/// The scores equal those of scikit-learn and seqeval, 0 where they are undefined.
package struct MatchCounts: Sendable, Equatable {
  /// The number of items that are both predicted and gold.
  package private(set) var correct = 0
  package private(set) var predicted = 0
  /// The number of gold examples, words or entities.
  package private(set) var support = 0

  package var precision: Double { LabelScores.fraction(correct, of: predicted) }
  package var recall: Double { LabelScores.fraction(correct, of: support) }
  package var f1: Double { LabelScores.fraction(2 * correct, of: predicted + support) }

  static func += (sum: inout MatchCounts, other: MatchCounts) {
    sum.correct += other.correct
    sum.predicted += other.predicted
    sum.support += other.support
  }

  /// The counts by name; `correct` are the items that are in both `gold` and `predicted`.
  static func byName(
    gold: [String], predicted: [String], correct: [String]
  ) -> [String: MatchCounts] {
    var counts: [String: MatchCounts] = [:]
    for name in gold { counts[name, default: MatchCounts()].support += 1 }
    for name in predicted { counts[name, default: MatchCounts()].predicted += 1 }
    for name in correct { counts[name, default: MatchCounts()].correct += 1 }
    return counts
  }

  /// The counts of entities by kind, equal to those of conlleval and of seqeval's default mode.
  ///
  /// An entity is correct if its kind and range are. Both lists have the same sentences with a tag
  /// for each word.
  package static func entities(
    _ gold: [[String]], _ predicted: [[String]]
  ) -> [String: MatchCounts] {
    precondition(gold.map(\.count) == predicted.map(\.count), "a tag for each word")
    let (truths, predictions) = (gold.map(entitySet), predicted.map(entitySet))
    func kinds(_ sets: [Set<Tags.Entity>]) -> [String] {
      sets.flatMap { $0.map { String($0.kind) } }
    }
    return byName(
      gold: kinds(truths), predicted: kinds(predictions),
      correct: kinds(zip(truths, predictions).map { $0.intersection($1) }))
  }

  private static func entitySet(_ tags: [String]) -> Set<Tags.Entity> { Set(Tags.entities(tags)) }
}

extension Sequence where Element == MatchCounts {
  /// The counts of all elements together: with the counts of classes, the micro average.
  package var total: MatchCounts { reduce(into: MatchCounts()) { $0 += $1 } }
}
