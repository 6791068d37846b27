/// A measure of answers. All are fractions (GLUE and SQuAD print them times 100) but the threshold.
package enum Metric: String, Sendable, Codable, CaseIterable {
  case matthews, accuracy, pearson, spearman
  /// Of the label at place 1 among two.
  case f1
  /// The mean over the labels that occur, each against the rest.
  case macroF1 = "macro_f1"
  /// Of entities or chunks: whole ones, kind and borders right.
  case entityF1 = "entity_f1"
  case entityPrecision = "entity_precision"
  case entityRecall = "entity_recall"
  /// Answers that equal a gold one after normalisation.
  case exactMatch = "exact_match"
  /// Overlap of words with the best gold answer.
  case answerF1 = "answer_f1"
  /// `exactMatch` and `answerF1` where there is an answer.
  case hasAnswerExactMatch = "has_answer_exact_match"
  case hasAnswerF1 = "has_answer_f1"
  /// Questions without answer that get none.
  case noAnswerAccuracy = "no_answer_accuracy"
  /// With the null threshold that is best for this very data.
  case bestExactMatch = "best_exact_match"
  case bestAnswerF1 = "best_answer_f1"
  /// The null threshold of `bestAnswerF1`.
  case bestNullThreshold = "best_null_threshold"
}

/// What a metric says. Where a correlation is undefined (one side is constant) the value is NaN, as the
/// libraries have it.
package struct Score: Sendable, Equatable {
  package let metric: Metric
  package let value: Double

  package init(_ metric: Metric, _ value: Double) {
    self.metric = metric
    self.value = value
  }
}
