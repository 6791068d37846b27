/// Micro-averaged precision, recall and F1 of entities, equal to those of conlleval and of
/// seqeval's default mode.
package struct EntityScores: Equatable {
  private(set) var gold = 0
  private(set) var predicted = 0
  /// The number of predicted entities whose kind and range are correct.
  private(set) var correct = 0

  /// Counts the entities of all sentences; both lists have the same sentences with a tag for each
  /// word.
  package init(_ gold: [[String]], _ predicted: [[String]]) {
    precondition(gold.count == predicted.count, "a prediction for each sentence")
    for (truth, prediction) in zip(gold, predicted) {
      precondition(truth.count == prediction.count, "a tag for each word")
      let truths = Set(Tags.entities(truth))
      let predictions = Set(Tags.entities(prediction))
      self.gold += truths.count
      self.predicted += predictions.count
      correct += truths.intersection(predictions).count
    }
  }

  package var precision: Double { LabelScores.fraction(correct, of: predicted) }
  package var recall: Double { LabelScores.fraction(correct, of: gold) }
  package var f1: Double { LabelScores.fraction(2 * correct, of: gold + predicted) }
}
