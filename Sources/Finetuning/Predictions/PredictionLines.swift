import Foundation
import Platform
import Tensors

/// The predictions for new text, one per text, as lines for people or as JSON.
package struct PredictionLines {
  private let lines: [Line]

  /// The prediction for one text; only the fields of its kind of problem are set.
  fileprivate struct Line: Encodable {
    var label: String?
    var labels: [String]?
    var probabilities: Probabilities?
    var score: Float?
    var words: [String]?
    var tags: [String]?
    var answer: String?
    var nullOdds: Float?

    private enum CodingKeys: String, CodingKey {
      case label, labels, probabilities, score, words, tags, answer
      case nullOdds = "null_odds"
    }
  }

  /// The probabilities of the classes, by their names.
  fileprivate enum Probabilities: Encodable {
    case text([String: Float])
    /// Those of each word.
    case words([[String: Float]])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let probabilities): try container.encode(probabilities)
      case .words(let probabilities): try container.encode(probabilities)
      }
    }
  }

  /// Pairs the predictions with the outputs of the model that they were computed from.
  ///
  /// - Parameters:
  ///   - predictions: those for all examples of `set`.
  ///   - outputs: the outputs of `model` for all examples, concatenated in order.
  ///   - set: the examples; the names of the classes are its labels.
  ///   - model: the fine-tuned model.
  package init(
    _ predictions: Predictions, _ outputs: [Float], _ set: ExampleSet, _ model: TaskModel
  ) {
    func softmaxes(_ logits: ArraySlice<Float>) -> [String: Float] {
      set.byName(softmax(logits.map(Double.init)).probabilities)
    }
    switch predictions {
    case .labels(let indices):
      let logits = set.perExample(outputs, of: model)
      lines = zip(indices, logits).map { index, logits in
        Line(label: set.labels.names[index], probabilities: .text(softmaxes(logits[...])))
      }
    case .labelSets(let sets):
      let logits = set.perExample(outputs, of: model)
      lines = zip(sets, logits).map { indices, logits in
        Line(
          labels: indices.map { set.labels.names[$0] },
          probabilities: .text(set.byName(logits.map { sigmoid(Double($0)) })))
      }
    case .scores(let scores): lines = scores.map { Line(score: $0) }
    case .tags(let tags):
      let probabilities = set.perWord(set.perExample(outputs, of: model), softmaxes)
      lines = set.words.indices.map { index in
        Line(
          probabilities: .words(probabilities[index]), words: set.words[index], tags: tags[index])
      }
    case .spans(let spans):
      lines = spans.map {
        Line(answer: $0.text, nullOdds: $0.nullOdds.isFinite ? $0.nullOdds : nil)
      }
    }
  }

  /// One text per prediction: JSON, or text for people, which has a line per word for tags.
  package func texts(json: Bool) throws -> [String] {
    try lines.map { json ? try $0.json() : $0.shown }
  }
}

extension PredictionLines.Line {
  /// The prediction as text for people: one line, or one for each word, also where a label, a word
  /// or an answer contains line breaks.
  fileprivate var shown: String {
    if let label, case .text(let values) = probabilities {
      return "\(ExampleSet.cell(label))\t" + String(format: "%.4f", values[label] ?? .nan)
    }
    if let labels, case .text(let values) = probabilities {
      let numbers = labels.map { String(format: "%.4f", values[$0] ?? .nan) }
      let names = labels.map(ExampleSet.cell)
      return names.joined(separator: ",") + "\t" + numbers.joined(separator: ",")
    }
    if let score { return "\(score)" }
    if let words, let tags {
      return zip(words, tags).map { "\(ExampleSet.cell($0)) \(ExampleSet.cell($1))\n" }.joined()
    }
    return ExampleSet.cell(answer ?? "")
  }
}

extension ExampleSet {
  /// Pairs a value for each label with the label's name.
  fileprivate func byName(_ values: [Double]) -> [String: Float] {
    Dictionary(zip(labels.names, values.map(Float.init))) { first, _ in first }
  }
}
