/// A candidate answer in one window.
struct SpanCandidate: Sendable, Equatable {
  /// The index of the first token in the sequence.
  var start: Int
  /// The index of the last token in the sequence.
  var end: Int
  /// A larger score is better; comparable between the windows of a question.
  var score: Float
}

/// The candidate answers of one window, and the score of having no answer.
struct WindowAnswers: Sendable, Equatable {
  var candidates: [SpanCandidate]
  /// A larger score makes it more likely that the window holds no answer.
  var nullScore: Float
}

/// The rules by which an answer is selected from candidates.
package struct SpanRules: Sendable, Equatable {
  /// The number of first tokens, and of last tokens, of a window that are combined to candidates.
  static let bestCount = 20
  /// The largest number of tokens of an answer.
  let maximumLength: Int
  /// The null threshold of SQuAD 2.0: the answer is empty if the null odds are above it.
  var nullThreshold: Float
  /// Whether the null odds are the null score minus the best candidate's score.
  ///
  /// Otherwise they are the null score alone, as for the reference's head, whose threshold is
  /// -2.75.
  let subtractsBestScore: Bool

  package init(
    maximumLength: Int = 30, nullThreshold: Float = 0, subtractsBestScore: Bool = true
  ) {
    self.maximumLength = maximumLength
    self.nullThreshold = nullThreshold
    self.subtractsBestScore = subtractsBestScore
  }
}

/// The answer to a question.
package struct SpanAnswer: Sendable, Equatable {
  package var identifier: String
  /// The answer, or empty for no answer.
  package var text: String
  /// The best candidate, whether or not it is the answer; empty if there is no candidate.
  package var bestText: String
  /// A larger value makes no answer more likely, see `SpanRules`; infinity if there is no
  /// candidate.
  package var nullOdds: Float

  package init(identifier: String, text: String, bestText: String, nullOdds: Float) {
    self.identifier = identifier
    self.text = text
    self.bestText = bestText
    self.nullOdds = nullOdds
  }
}

extension WindowAnswers {
  /// The candidates of a head that scores first and last tokens independently (`SpanHead`).
  ///
  /// `logits` has the start logit and the end logit of each token of the sequence. (T, 2) Only
  /// tokens of the passage are candidates; the logits of `[CLS]` are the null score.
  init(logits: [Float], window: QuestionEncoder.Window, rules: SpanRules) {
    let positions = window.position..<window.position + window.tokens.count
    let starts = Self.best(positions) { logits[2 * $0] }
    let ends = Self.best(positions) { logits[2 * $0 + 1] }
    candidates = []
    for start in starts {
      for end in ends where start <= end && end - start < rules.maximumLength {
        let score = logits[2 * start] + logits[2 * end + 1]
        candidates.append(SpanCandidate(start: start, end: end, score: score))
      }
    }
    nullScore = logits[0] + logits[1]
  }

  /// The `SpanRules.bestCount` positions with the largest scores, largest first; of equal scores
  /// the first.
  private static func best(_ positions: Range<Int>, score: (Int) -> Float) -> [Int] {
    let order = positions.sorted { (first: Int, second: Int) -> Bool in
      let (one, other) = (score(first), score(second))
      return one == other ? first < second : one > other
    }
    return Array(order.prefix(SpanRules.bestCount))
  }
}

/// The questions of a file with their passages and windows.
struct QuestionSheet: Sendable {
  let questions: [Question]
  /// The index in `passages` of each question's passage.
  let passageNumbers: [Int]
  let passages: [EncodedPassage]
  /// The windows of all questions; the windows of one question are adjacent.
  let windows: [QuestionEncoder.Window]
  let allowsNoAnswer: Bool

  /// The answer to each question: the best candidate of all its windows, or no answer.
  ///
  /// `answers` has one entry for each of `windows`.
  func answers(_ answers: [WindowAnswers], rules: SpanRules) -> [SpanAnswer] {
    var ranges = [Range<Int>](repeating: 0..<0, count: questions.count)
    for (index, window) in windows.enumerated() {
      let start = ranges[window.question].isEmpty ? index : ranges[window.question].lowerBound
      ranges[window.question] = start..<index + 1
    }
    return ranges.enumerated().map { number, range in
      answer(to: number, answers[range], Array(windows[range]), rules)
    }
  }

  private func answer(
    to number: Int, _ answers: ArraySlice<WindowAnswers>, _ windows: [QuestionEncoder.Window],
    _ rules: SpanRules
  ) -> SpanAnswer {
    var best: (score: Float, tokens: ClosedRange<Int>)?
    for (answer, window) in zip(answers, windows) {
      for candidate in answer.candidates where candidate.score > best?.score ?? -.infinity {
        guard let start = window.token(at: candidate.start),
          let end = window.token(at: candidate.end),
          start <= end, end - start < rules.maximumLength,
          QuestionEncoder.hasMaximumContext(around: start, window, among: windows)
        else { continue }
        best = (candidate.score, start...end)
      }
    }
    // The smallest null score: one window that holds the answer is enough.
    let nullScore = answers.map(\.nullScore).min() ?? 0
    let odds = best.map { rules.subtractsBestScore ? nullScore - $0.score : nullScore } ?? .infinity
    let passage = passages[passageNumbers[number]]
    let text = best.map { passage.text(of: $0.tokens) } ?? ""
    return SpanAnswer(
      identifier: questions[number].identifier,
      text: allowsNoAnswer && odds > rules.nullThreshold ? "" : text, bestText: text,
      nullOdds: odds)
  }
}
