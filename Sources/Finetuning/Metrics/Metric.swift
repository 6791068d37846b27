/// An evaluation metric.
///
/// All metrics are fractions, which GLUE and SQuAD print in percent, except `bestNullThreshold`.
package enum Metric: String, Sendable, Codable, CaseIterable {
  case matthews, accuracy, pearson, spearman
  /// The F1 score of the second of two labels.
  case f1
  /// The mean F1 score over the labels that occur, each against the rest; over all labels for
  /// examples with several.
  case macroF1 = "macro_f1"
  /// The F1 score of all labels of all examples together, for examples with several labels.
  case microF1 = "micro_f1"
  /// The fraction of examples whose predicted labels are all correct and complete.
  case subsetAccuracy = "subset_accuracy"
  /// The F1 score of entities or chunks with the correct kind and range.
  case entityF1 = "entity_f1"
  case entityPrecision = "entity_precision"
  case entityRecall = "entity_recall"
  /// The fraction of answers that equal a gold answer after normalisation.
  case exactMatch = "exact_match"
  /// The mean F1 score of an answer's words, with the gold answer for which it is largest.
  case answerF1 = "answer_f1"
  /// `exactMatch` and `answerF1` over the questions that have an answer.
  case hasAnswerExactMatch = "has_answer_exact_match"
  case hasAnswerF1 = "has_answer_f1"
  /// The fraction of questions without an answer for which no answer is predicted.
  case noAnswerAccuracy = "no_answer_accuracy"
  /// `exactMatch` and `answerF1`, each with its best null threshold on the evaluated data.
  case bestExactMatch = "best_exact_match"
  case bestAnswerF1 = "best_answer_f1"
  /// The null threshold of `bestAnswerF1`.
  case bestNullThreshold = "best_null_threshold"
}

/// The value of a metric.
///
/// NaN for an undefined correlation (one side is constant), as in scipy.
package struct Score: Sendable, Equatable {
  package let metric: Metric
  package let value: Double

  package init(_ metric: Metric, _ value: Double) {
    self.metric = metric
    self.value = value
  }
}
