import Finetuning
import Foundation
import TestSupport
import Testing

/// Questions, from SQuAD's JSON to windows, and from outputs to answers in the passage's text.
struct QuestionTests {
  private struct Entry {
    var answers: [(String, Int)] = []
    var impossible = false
  }

  private func json(_ context: String, _ entries: [Entry]) throws -> String {
    let questions = entries.enumerated().map { number, entry -> [String: Any] in
      [
        "id": "q\(number)", "question": "the cat ?", "is_impossible": entry.impossible,
        "answers": entry.answers.map { ["text": $0.0, "answer_start": $0.1] },
      ]
    }
    let paragraphs: [[String: Any]] = [["context": context, "qas": questions]]
    let document: [String: Any] = ["data": [["paragraphs": paragraphs]], "version": "x"]
    return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
  }

  /// Logits that are largest at the first and last token of the target.
  private func outputs(for set: ExampleSet) -> [[Float]] {
    set.examples.map { example in
      var logits = [Float](repeating: 0, count: 2 * example.tokens.count)
      if case .span(let start, let end) = example.target {
        logits[2 * start] += 5
        logits[2 * end + 1] += 5
      }
      return logits
    }
  }

  private func texts(_ set: ExampleSet) throws -> [String] {
    try spans(set.predictions(outputs: outputs(for: set))).map(\.text)
  }

  private func spans(_ predictions: Predictions) throws -> [SpanAnswer] {
    let spans: [SpanAnswer]? = if case .spans(let spans) = predictions { spans } else { nil }
    return try #require(spans)
  }

  /// A passage with accents, combining marks, and characters outside the basic multilingual plane.
  private static let passage = "Ünàble CÁT\u{301}  on 𝔘 the Mat, 3-4 İ.\u{200B} end\u{301}"
  private static let answers = [
    "Ünàble", "CÁT\u{301}", "CÁT\u{301}  on", "Mat", "3-4", "end\u{301}", "𝔘 the",
  ]

  @Test(arguments: answers)
  func answersAreCutFromThePassageAsItStands(answer: String) throws {
    let range = try #require(Self.passage.unicodeScalars.firstRange(of: answer.unicodeScalars))
    let start = Self.passage.unicodeScalars.distance(
      from: Self.passage.unicodeScalars.startIndex, to: range.lowerBound)
    let set = try read(
      try .named("squad1"), .training, json(Self.passage, [Entry(answers: [(answer, start)])]))
    #expect(try texts(set).map { Array($0.unicodeScalars) } == [Array(answer.unicodeScalars)])
    #expect(set.scores(of: set.predictions(outputs: outputs(for: set))).map(\.value) == [1, 1])
  }

  @Test
  func ofEqualTextsTheOneAtThePlaceIsTheAnswer() throws {
    let set = try read(
      try .named("squad1"), .training,
      json("the cat the cat", [Entry(answers: [("the", 8)]), Entry(answers: [("cat", 13)])]))
    #expect(set.examples.map(\.target) == [.span(start: 7, end: 7), .span(start: 8, end: 8)])
  }

  @Test
  func answersThatAreNowhereAreLeftOutOfTrainingOnly() throws {
    let text = try json("the cat", [Entry(answers: [("dog", 0)]), Entry(answers: [("cat", 4)])])
    let train = try read(try .named("squad1"), .training, text)
    #expect(train.examples.count == 1 && train.notes.unreachable == ["q0"])
    let dev = try read(try .named("squad1"), .development, text)
    #expect(dev.examples.count == 2)
    #expect(dev.scores(of: dev.predictions(outputs: outputs(for: dev)))[0].value == 0.5)
  }

  /// In version 1.1 every question has an answer; in version 2.0 and in custom tasks it may have
  /// none.
  @Test(arguments: [SplitRole.training, .development])
  func aQuestionWithoutAnswerIsRefusedInTheFirstVersion(role: SplitRole) throws {
    let answered = Entry(answers: [("cat", 4)])
    for entry in [Entry(impossible: true), Entry(), Entry(answers: [("cat", 4)], impossible: true)]
    {
      let text = try json("the cat", [answered, entry])
      let error = sentence { _ = try read(try .named("squad1"), role, text) }
      #expect(error.contains("the question q1 has no answer"), "\(error)")
      #expect(error.contains("squad2"), "\(error)")
      for task in [try Task.named("squad2"), .custom(.span, .questions)] {
        #expect(try read(task, role, text, as: "train.json").examples.count == 2)
      }
    }
    // Test data needs no answers.
    let test = try read(try .named("squad1"), .test, json("the cat", [Entry(impossible: true)]))
    #expect(test.examples.map(\.target) == [.none])
  }

  @Test
  func longPassagesAreReadInWindows() throws {
    let words = (0..<60).map { ["the", "cat", "sat", "on"][$0 % 4] }
    let passage =
      words[..<45].joined(separator: " ") + " mat " + words[45...].joined(separator: " ")
    let start = words[..<45].joined(separator: " ").count + 1
    let text = try json(passage, [Entry(answers: [("mat", start)])])
    let set = try read(try .named("squad1"), .training, text, length: 32)
    #expect(set.examples.count == 4)
    #expect(set.examples.allSatisfy { $0.tokens.count <= 32 })
    // The question takes 3 tokens and [CLS], [SEP], [SEP] three more: 26 are left, the stride is
    // 13.
    #expect(
      set.examples.map(\.target) == [
        .span(start: 0, end: 0), .span(start: 0, end: 0), .span(start: 24, end: 24),
        .span(start: 11, end: 11),
      ])
    #expect(try texts(set) == ["mat"])
    #expect(passageRange(of: set.examples[3]) == 5..<27)
  }

  /// The positions of the passage's tokens: the second segment without its `[SEP]`.
  private func passageRange(of example: EncodedExample) -> Range<Int> {
    (example.segmentIDs.firstIndex(of: 1) ?? 0)..<example.tokens.count - 1
  }

  @Test
  func noAnswerIsAnAnswerInTheSecondVersion() throws {
    let text = try json(
      "the cat sat", [Entry(impossible: true), Entry(answers: [("cat", 4)], impossible: true)])
    let set = try read(try .named("squad2"), .development, text)
    #expect(set.examples.map(\.target) == [.span(start: 0, end: 0), .span(start: 0, end: 0)])
    #expect(try texts(set) == ["", ""])
    let rules = SpanRules(nullThreshold: 100)
    let spans = try spans(set.predictions(outputs: outputs(for: set), rules: rules))
    #expect(spans.count == 2 && spans.allSatisfy { !$0.text.isEmpty && $0.nullOdds == 10 })
    let names = try set.files(of: .spans(spans)).map(\.name)
    #expect(names == ["dev_predictions.json", "dev_null_odds.json"])
  }

  @Test
  func theBestSpanIsTheOneThatTryingAllFinds() throws {
    let text = try json("the cat sat on the mat . the cat", [Entry(answers: [("cat", 4)])])
    let set = try read(try .named("squad1"), .development, text)
    let positions = passageRange(of: set.examples[0])
    var draws = Draws(state: 4)
    for _ in 0..<50 {
      let logits = set.examples[0].tokens.flatMap { _ in
        [Float.random(in: 0...1, using: &draws), Float.random(in: 0...1, using: &draws)]
      }
      let rules = SpanRules(maximumLength: 3)
      var best: Float = 0
      for start in positions {
        for end in start..<min(start + 3, positions.upperBound) {
          best = max(best, logits[2 * start] + logits[2 * end + 1])
        }
      }
      let spans = try spans(set.predictions(outputs: [logits], rules: rules))
      #expect(spans[0].nullOdds == logits[0] + logits[1] - best)
    }
  }

  @Test
  func aPassageWithoutTokensHasNoAnswer() throws {
    let set = try read(try .named("squad1"), .test, json(" \u{200B} ", [Entry()]))
    #expect(set.examples.map(\.target) == [.none])
    #expect(try texts(set) == [""])
  }
}
