import Finetuning
import Foundation
import Models
import Platform

/// The predictions for lines of text, as text for people or as JSON.
struct AnsweredText {
  private let lines: [Line]

  /// The prediction for one line; only the fields of its kind of problem are set.
  private struct Line: Encodable {
    var label: String?
    var probabilities: [String: Float]?
    var score: Float?
    var words: [String]?
    var tags: [String]?
    var answer: String?
    var nullOdds: Float?

    private enum CodingKeys: String, CodingKey {
      case label, probabilities, score, words, tags, answer
      case nullOdds = "null_odds"
    }

    /// The prediction as text for people.
    var shown: String {
      if let label {
        return "\(label)\t" + String(format: "%.4f", probabilities?[label] ?? .nan)
      }
      if let score { return "\(score)" }
      if let words, let tags {
        return zip(words, tags).map { "\($0) \($1)\n" }.joined()
      }
      return answer ?? ""
    }
  }

  /// Pairs the answers with the outputs of the model that they were computed from.
  init(_ answers: Answers, _ outputs: [Float], _ set: ExampleSet, _ folder: FinetunedFolder) {
    let names = folder.description.labels.names
    switch answers {
    case .labels(let indices):
      lines = indices.enumerated().map { line, index in
        let logits = outputs[line * names.count..<(line + 1) * names.count]
        let largest = logits.max() ?? 0
        let powers = logits.map { exp($0 - largest) }
        let sum = powers.reduce(0, +)
        let probabilities = zip(names, powers).map { ($0, $1 / sum) }
        return Line(label: names[index], probabilities: Dictionary(probabilities) { $1 })
      }
    case .scores(let scores): lines = scores.map { Line(score: $0) }
    case .tags(let tags):
      lines = zip(set.words, tags).map { Line(words: $0, tags: $1) }
    case .spans(let spans):
      lines = spans.map {
        Line(answer: $0.text, nullOdds: $0.nullOdds.isFinite ? $0.nullOdds : nil)
      }
    }
  }

  /// Prints one line per prediction.
  func show(json: Bool) throws {
    for line in lines { StandardOutput.print(json ? try line.json() : line.shown) }
  }
}
