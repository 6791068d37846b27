/// A possible answer in one window: places in the sequence, and how good the head finds it.
package struct SpanCandidate: Sendable, Equatable {
  package var start: Int
  package var end: Int
  package var score: Float

  package init(start: Int, end: Int, score: Float) {
    self.start = start
    self.end = end
    self.score = score
  }
}

/// What a head says of one window: possible answers, and how good it finds that there is none.
package struct WindowAnswers: Sendable, Equatable {
  package var candidates: [SpanCandidate]
  package var nullScore: Float

  package init(candidates: [SpanCandidate], nullScore: Float) {
    self.candidates = candidates
    self.nullScore = nullScore
  }
}

/// How an answer is chosen.
package struct SpanRules: Sendable, Equatable {
  /// How many first and last tokens of a window are combined.
  package var bestCount = 20
  /// The longest answer in tokens.
  package var maximumLength = 30
  /// The answer is none if the null odds are above this.
  package var nullThreshold: Float = 0
  /// Whether the null odds are the null score less the best answer's; otherwise they are the null score
  /// alone, as with the reference's own head, which goes with a threshold of -2.75.
  package var weighsNull = true

  package init(
    bestCount: Int = 20, maximumLength: Int = 30, nullThreshold: Float = 0, weighsNull: Bool = true
  ) {
    self.bestCount = bestCount
    self.maximumLength = maximumLength
    self.nullThreshold = nullThreshold
    self.weighsNull = weighsNull
  }
}

/// The answer to a question.
package struct SpanAnswer: Sendable, Equatable {
  package var identifier: String
  /// The answer; empty for none.
  package var text: String
  /// The best answer that is one.
  package var bestText: String
  /// How likely it is that there is none; see `SpanRules`.
  package var nullOdds: Float

  package init(identifier: String, text: String, bestText: String, nullOdds: Float) {
    self.identifier = identifier
    self.text = text
    self.bestText = bestText
    self.nullOdds = nullOdds
  }
}

extension WindowAnswers {
  /// The candidates of independent scores of the first and the last token, as Hugging Face's head gives
  /// them: `logits` holds both for each token of the sequence. (T, 2) `[CLS]` is no answer.
  init(logits: [Float], window: QuestionEncoder.Window, rules: SpanRules) {
    let places = window.position..<window.position + window.tokens.count
    let starts = Self.best(places, of: rules.bestCount) { logits[2 * $0] }
    let ends = Self.best(places, of: rules.bestCount) { logits[2 * $0 + 1] }
    candidates = []
    for start in starts {
      for end in ends where start <= end && end - start < rules.maximumLength {
        let score = logits[2 * start] + logits[2 * end + 1]
        candidates.append(SpanCandidate(start: start, end: end, score: score))
      }
    }
    nullScore = logits[0] + logits[1]
  }

  /// The `count` places of the highest scores, highest first, of equal ones the first.
  private static func best(
    _ places: Range<Int>, of count: Int, score: (Int) -> Float
  ) -> [Int] {
    let order = places.sorted { (first: Int, second: Int) -> Bool in
      let (one, other) = (score(first), score(second))
      return one == other ? first < second : one > other
    }
    return Array(order.prefix(count))
  }
}

/// Questions with the windows that they were cut into.
package struct QuestionSheet: Sendable {
  let questions: [Question]
  /// For each question its passage.
  let passageNumbers: [Int]
  let passages: [EncodedPassage]
  /// The windows, those of one question together.
  let windows: [QuestionEncoder.Window]
  let allowsNoAnswer: Bool

  /// The answer to each question out of what was said of each window: the best candidate of all of its
  /// windows, or none.
  func answers(_ answers: [WindowAnswers], rules: SpanRules) -> [SpanAnswer] {
    var ranges = [Range<Int>](repeating: 0..<0, count: questions.count)
    for (place, window) in windows.enumerated() {
      let start = ranges[window.question].isEmpty ? place : ranges[window.question].lowerBound
      ranges[window.question] = start..<place + 1
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
          QuestionEncoder.showsMost(around: start, window, among: windows)
        else { continue }
        best = (candidate.score, start...end)
      }
    }
    let nullScore = answers.map(\.nullScore).min() ?? 0
    let odds = best.map { rules.weighsNull ? nullScore - $0.score : nullScore } ?? .infinity
    let passage = passages[passageNumbers[number]]
    let text = best.map { passage.text(of: $0.tokens) } ?? ""
    return SpanAnswer(
      identifier: questions[number].identifier,
      text: allowsNoAnswer && odds > rules.nullThreshold ? "" : text, bestText: text,
      nullOdds: odds)
  }
}
