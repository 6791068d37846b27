/// Precision, recall and F1 of entities, all kinds counted together, as conlleval and seqeval's default
/// mode give them.
package struct EntityScores: Equatable {
  private(set) var gold = 0
  private(set) var predicted = 0
  /// Those whose kind and borders are right.
  private(set) var right = 0

  /// Counts the entities of all sentences; each has as many tags in one list as in the other.
  package init(_ gold: [[String]], _ predicted: [[String]]) {
    precondition(gold.count == predicted.count, "an answer for each sentence")
    for (truth, answer) in zip(gold, predicted) {
      precondition(truth.count == answer.count, "a tag for each word")
      let truths = Set(Tags.entities(truth))
      let answers = Set(Tags.entities(answer))
      self.gold += truths.count
      self.predicted += answers.count
      right += truths.intersection(answers).count
    }
  }

  package var precision: Double { LabelScores.fraction(right, of: predicted) }
  package var recall: Double { LabelScores.fraction(right, of: gold) }
  package var f1: Double { LabelScores.fraction(2 * right, of: gold + predicted) }
}
