import Tensors

/// The metrics of SQuAD's evaluators 1.1 and 2.0, as fractions.
///
/// Rajpurkar et al. 2016, "SQuAD: 100,000+ questions for machine comprehension of text", and
/// Rajpurkar, Jia and Liang 2018, "Know what you don't know: unanswerable questions for SQuAD".
package struct AnswerScores {
  private struct QuestionScores {
    let hasAnswer: Bool
    let exact: Double
    let f1: Double
    /// The scores of the best candidate, whether or not it is the answer.
    let bestExact: Double
    let bestF1: Double
    let bestIsEmpty: Bool
    let nullOdds: Float
  }

  private let scores: [QuestionScores]

  /// Scores an answer to each question, in the same order, by the rules of 2.0 (`allowsNoAnswer`)
  /// or 1.1.
  package init(_ questions: [Question], _ answers: [SpanAnswer], allowsNoAnswer: Bool) {
    precondition(questions.count == answers.count, "an answer for each question")
    scores = zip(questions, answers).map { question, answer in
      var gold = question.answers.map { AnswerText.words($0.text) }
      if allowsNoAnswer {
        // 2.0 drops gold answers without words; if none is left, the empty answer is correct.
        gold = gold.filter { !$0.isEmpty }
        if gold.isEmpty { gold = [[]] }
      }
      func score(_ text: String) -> (exact: Double, f1: Double) {
        let words = AnswerText.words(text)
        let exact = gold.contains { AnswerText.isExact(words, $0) }
        let f1 = gold.map { AnswerText.f1(words, $0, emptyCounts: allowsNoAnswer) }.max() ?? 0
        return (exact ? 1 : 0, f1)
      }
      let given = score(answer.text)
      let best = answer.text == answer.bestText ? given : score(answer.bestText)
      return QuestionScores(
        hasAnswer: !question.answers.isEmpty, exact: given.exact, f1: given.f1,
        bestExact: best.exact, bestF1: best.f1, bestIsEmpty: answer.bestText.isEmpty,
        nullOdds: answer.nullOdds)
    }
  }

  // Means over all questions, or over those with or without an answer; 0 if there are none.
  package var exactMatch: Double { scores.map(\.exact).mean }
  package var f1: Double { scores.map(\.f1).mean }
  package var hasAnswerExactMatch: Double { scores.filter(\.hasAnswer).map(\.exact).mean }
  package var hasAnswerF1: Double { scores.filter(\.hasAnswer).map(\.f1).mean }
  package var noAnswerAccuracy: Double { scores.filter { !$0.hasAnswer }.map(\.exact).mean }
  package var bestExactMatch: (value: Double, threshold: Double) { best(\.bestExact) }
  package var bestF1: (value: Double, threshold: Double) { best(\.bestF1) }

  /// The largest mean over all null thresholds, and a threshold with this mean.
  ///
  /// Starts with the threshold at which no question is answered, and answers one question more at a
  /// time in the order of rising null odds.
  private func best(_ score: KeyPath<QuestionScores, Double>) -> (value: Double, threshold: Double)
  {
    if scores.isEmpty { return (0, 0) }
    let order = scores.indices.sorted {
      (scores[$0].nullOdds, $0) < (scores[$1].nullOdds, $1)
    }.map { scores[$0] }
    // With no answers at all, exactly the questions without an answer are correct.
    var sum = Double(scores.count { !$0.hasAnswer })
    var best = (value: sum, answered: 0)
    for (index, answer) in order.enumerated() {
      sum += answer.hasAnswer ? answer[keyPath: score] : answer.bestIsEmpty ? 0 : -1
      if sum > best.value { best = (sum, index + 1) }
    }
    let threshold = Self.threshold(order.map { Double($0.nullOdds) }, answering: best.answered)
    return (best.value / Double(scores.count), threshold)
  }

  /// A threshold at which the first `count` of `odds`, in rising order, are answered, and any with
  /// odds equal to the last.
  ///
  /// It is halfway to the next odds, so that a rounded threshold gives the same answers. (The
  /// official script returns the odds of the last answered question, and 0 for none: its odds are
  /// probabilities.)
  private static func threshold(_ odds: [Double], answering count: Int) -> Double {
    // Infinite odds are those of questions without a candidate, which have one answer at any
    // threshold.
    guard let last = odds.prefix(count).last(where: { $0.isFinite }) else {
      return odds[0].isFinite ? odds[0] - 1 : 0
    }
    let next = count < odds.count ? odds[count] : .infinity
    return next.isFinite ? (last + next) / 2 : last + 1
  }
}
