/// The measures of SQuAD's evaluators, 1.1 (Rajpurkar et al. 2016) and 2.0 (2018), as fractions.
package struct AnswerScores {
  private struct Judged {
    let hasAnswer: Bool
    let exact: Double
    let f1: Double
    /// Of the best answer, whether or not it was given.
    let bestExact: Double
    let bestF1: Double
    let bestIsEmpty: Bool
    let nullOdds: Float
  }

  private let judged: [Judged]

  /// Judges an answer to each question; `allowsNoAnswer` tells 2.0 from 1.1.
  package init(_ questions: [Question], _ answers: [SpanAnswer], allowsNoAnswer: Bool) {
    precondition(questions.count == answers.count, "an answer for each question")
    judged = zip(questions, answers).map { question, answer in
      var gold = question.answers.map { AnswerText.words($0.text) }
      if allowsNoAnswer {
        // 2.0 drops gold answers without a word; where none is left, "" is the right answer.
        gold = gold.filter { !$0.isEmpty }
        if gold.isEmpty { gold = [[]] }
      }
      func judge(_ text: String) -> (exact: Double, f1: Double) {
        let words = AnswerText.words(text)
        let exact = gold.contains { AnswerText.isExact(words, $0) }
        let f1 = gold.map { AnswerText.f1(words, $0, emptyCounts: allowsNoAnswer) }.max() ?? 0
        return (exact ? 1 : 0, f1)
      }
      let given = judge(answer.text)
      let best = answer.text == answer.bestText ? given : judge(answer.bestText)
      return Judged(
        hasAnswer: !question.answers.isEmpty, exact: given.exact, f1: given.f1,
        bestExact: best.exact, bestF1: best.f1, bestIsEmpty: answer.bestText.isEmpty,
        nullOdds: answer.nullOdds)
    }
  }

  package var exactMatch: Double { mean(judged, \.exact) }
  package var f1: Double { mean(judged, \.f1) }
  package var hasAnswerExactMatch: Double { mean(judged.filter(\.hasAnswer), \.exact) }
  package var hasAnswerF1: Double { mean(judged.filter(\.hasAnswer), \.f1) }
  package var noAnswerAccuracy: Double { mean(judged.filter { !$0.hasAnswer }, \.exact) }
  package var bestExactMatch: (value: Double, threshold: Double) { best(\.bestExact) }
  package var bestF1: (value: Double, threshold: Double) { best(\.bestF1) }

  private func mean(_ judged: [Judged], _ score: KeyPath<Judged, Double>) -> Double {
    judged.isEmpty ? 0 : judged.reduce(0) { $0 + $1[keyPath: score] } / Double(judged.count)
  }

  /// The best mean that a null threshold can give: from answering nothing, one question after the other
  /// is answered, the surest first.
  private func best(_ score: KeyPath<Judged, Double>) -> (value: Double, threshold: Double) {
    if judged.isEmpty { return (0, 0) }
    let order = judged.indices.sorted {
      (judged[$0].nullOdds, $0) < (judged[$1].nullOdds, $1)
    }.map { judged[$0] }
    var sum = Double(judged.count { !$0.hasAnswer })
    var best = (value: sum, answered: 0)
    for (place, answer) in order.enumerated() {
      sum += answer.hasAnswer ? answer[keyPath: score] : answer.bestIsEmpty ? 0 : -1
      if sum > best.value { best = (sum, place + 1) }
    }
    let threshold = Self.threshold(order.map { Double($0.nullOdds) }, answering: best.answered)
    return (best.value / Double(judged.count), threshold)
  }

  /// The threshold by which the first `count` of the questions with these odds, in order, are answered:
  /// halfway to the next, so that few digits suffice. (The official script gives the odds of the last
  /// that is answered; and 0 for none, as its odds are probabilities.)
  private static func threshold(_ odds: [Double], answering count: Int) -> Double {
    guard count > 0 else { return odds[0].isFinite ? odds[0] - 1 : 0 }
    let next = count < odds.count ? odds[count] : .infinity
    return next.isFinite ? (odds[count - 1] + next) / 2 : odds[count - 1] + 1
  }
}
