import Finetuning
import Foundation
import Testing

/// Every metric equals an independent implementation's (`Fixtures/make.py`), on random and on
/// degenerate answers.
struct MetricTests {
  private struct Fixture: Decodable {
    struct Labels: Decodable {
      let gold, predicted: [Int]
      let accuracy, matthews, macroF1: Double
      let f1: Double?
    }
    struct Correlations: Decodable {
      let first, second: [Double]
      let pearson, spearman: Double?
    }
    struct Entities: Decodable {
      let gold, predicted: [[String]]
      let entities: [[[EntityPart]]]
      let precision, recall, f1, accuracy: Double
    }
    struct Words: Decodable {
      let text: String
      let words: [String]
    }
    struct Sheet: Decodable {
      let version: Int
      let questions: [Entry]
      let exactMatch, answerF1, hasAnswerExactMatch, hasAnswerF1: Double
      let noAnswerAccuracy, bestExactMatch, bestAnswerF1, bestNullThreshold: Double
    }
    struct Entry: Decodable {
      let golds: [String]
      let best, given: String
      let odds: Float
    }
    let labels: [Labels]
    let correlations: [Correlations]
    let entities: [Entities]
    let words: [Words]
    let answers: [Sheet]
  }

  /// The kind of an entity, or the index of its first or last word.
  private enum EntityPart: Decodable, Equatable {
    case kind(String)
    case word(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let word = try? container.decode(Int.self) {
        self = .word(word)
      } else {
        self = .kind(try container.decode(String.self))
      }
    }
  }

  private let fixture: Fixture

  init() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appending(path: "Fixtures/metrics.json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    fixture = try decoder.decode(Fixture.self, from: data)
  }

  /// Sums of at most a hundred terms near 1, in another order, differ by less than 1e-12.
  private func isClose(_ first: Double, _ second: Double) -> Bool { abs(first - second) < 1e-12 }

  @Test
  func labelsScoreAsInScikitLearn() {
    #expect(fixture.labels.count > 20)
    for item in fixture.labels {
      #expect(isClose(LabelScores.accuracy(item.gold, item.predicted), item.accuracy))
      #expect(isClose(LabelScores.matthews(item.gold, item.predicted), item.matthews))
      #expect(isClose(LabelScores.macroF1(item.gold, item.predicted), item.macroF1))
      if let f1 = item.f1 { #expect(isClose(LabelScores.f1(item.gold, item.predicted), f1)) }
    }
  }

  @Test
  func correlationsAreThoseOfScipy() {
    #expect(fixture.correlations.contains { $0.pearson == nil })
    func check(_ ours: Double, _ theirs: Double?) {
      if let theirs { #expect(isClose(ours, theirs)) } else { #expect(ours.isNaN) }
    }
    for item in fixture.correlations {
      check(Correlation.pearson(item.first, item.second), item.pearson)
      check(Correlation.spearman(item.first, item.second), item.spearman)
    }
    #expect(Correlation.pearson([1, 2, 3], [1, .nan, 3]).isNaN)
    #expect(Correlation.pearson([1, 2, 3], [1, .infinity, 3]).isNaN)
    #expect(!Correlation.spearman([1, 2, 3], [1, .infinity, 3]).isNaN)
    #expect(Correlation.spearman([1, 2, 3], [1, .nan, 3]).isNaN)
  }

  @Test
  func entitiesScoreAsInSeqeval() {
    #expect(fixture.entities.count > 15)
    for item in fixture.entities {
      #expect(item.predicted.count == item.entities.count)
      for (tags, expected) in zip(item.predicted, item.entities) {
        let ours = Tags.entities(tags).map { entity -> [EntityPart] in
          [
            .kind(String(entity.kind)), .word(entity.range.lowerBound),
            .word(entity.range.upperBound - 1),
          ]
        }
        #expect(ours == expected, "\(tags)")
      }
      let scores = MatchCounts.entities(item.gold, item.predicted).values.total
      #expect(isClose(scores.precision, item.precision))
      #expect(isClose(scores.recall, item.recall))
      #expect(isClose(scores.f1, item.f1))
      let gold = item.gold.flatMap { $0 }
      #expect(isClose(LabelScores.accuracy(gold, item.predicted.flatMap { $0 }), item.accuracy))
    }
  }

  @Test
  func answersAreNormalisedAsBySQuAD() {
    #expect(fixture.words.count > 100)
    for item in fixture.words {
      let ours = AnswerText.words(item.text).map { Array($0.unicodeScalars) }
      #expect(ours == item.words.map { Array($0.unicodeScalars) }, "\(item.text)")
    }
  }

  @Test
  func answersScoreAsBySQuAD() {
    #expect(fixture.answers.contains { $0.version == 2 })
    for sheet in fixture.answers {
      let questions = sheet.questions.map { entry in
        Question(
          identifier: "", text: "", answers: entry.golds.map { GoldAnswer(text: $0, start: 0) })
      }
      let answers = sheet.questions.map {
        SpanAnswer(identifier: "", text: $0.given, bestText: $0.best, nullOdds: $0.odds)
      }
      let scores = AnswerScores(questions, answers, allowsNoAnswer: sheet.version == 2)
      #expect(isClose(scores.exactMatch, sheet.exactMatch))
      #expect(isClose(scores.f1, sheet.answerF1))
      guard sheet.version == 2 else { continue }
      #expect(isClose(scores.hasAnswerExactMatch, sheet.hasAnswerExactMatch))
      #expect(isClose(scores.hasAnswerF1, sheet.hasAnswerF1))
      #expect(isClose(scores.noAnswerAccuracy, sheet.noAnswerAccuracy))
      #expect(isClose(scores.bestExactMatch.value, sheet.bestExactMatch))
      #expect(isClose(scores.bestF1.value, sheet.bestAnswerF1))
      // The official threshold is the odds of the last answered question, and 0 if none is
      // answered.
      let odds = sheet.questions.map { Double($0.odds) }
      let answered = odds.filter { $0 < scores.bestF1.threshold }.max()
      #expect(abs((answered ?? 0) - sheet.bestNullThreshold) < 1e-5)
    }
  }

  /// Answers with the best threshold have the best score, also if answering nothing is best.
  @Test
  func theBestThresholdGivesTheBestScore() {
    func question(_ gold: String) -> Question {
      Question(
        identifier: "", text: "", answers: gold.isEmpty ? [] : [GoldAnswer(text: gold, start: 0)])
    }
    for (golds, odds) in [
      (["", "right"], [-1, 1]), (["right", ""], [-1, 1]), (["right", ""], [3, .infinity]),
      (["", ""], [-2, 5]), (["right", "wrong", "", "right"], [-0.5, 0.001, 0.002, 0.003]),
      // A gold answer without words is equal to no answer.
      (["the", "right"], [.infinity, 1]), (["the"], [.infinity]),
    ] as [([String], [Float])] {
      let questions = golds.map(question)
      func scores(_ threshold: Double) -> AnswerScores {
        AnswerScores(
          questions,
          odds.map { odds in
            SpanAnswer(
              identifier: "", text: Double(odds) > threshold || odds == .infinity ? "" : "right",
              bestText: odds == .infinity ? "" : "right", nullOdds: odds)
          }, allowsNoAnswer: true)
      }
      let best = scores(0).bestF1
      #expect(best.threshold.isFinite, "\(golds)")
      #expect(scores(best.threshold).f1 == best.value, "\(golds)")
    }
  }
}
