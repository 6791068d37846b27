import Electra
import Finetuning
import Foundation
import Layers
import Testing

/// Predictions for new text, as `predict` prints them.
struct PredictionLinesTests {
  private static let sizes = NetworkSizes(
    vocabularySize: 31, embeddingSize: 10, positionCount: 16, typeCount: 2,
    encoder: EncoderSizes(hiddenSize: 14, layerCount: 1, headCount: 2, intermediateSize: 29))

  /// The predictions for `text`, given the outputs of the model.
  private func answered(
    _ task: Task, _ text: String, _ outputs: [Float]
  ) throws -> PredictionLines {
    let file = try NewText(task, Array(text.utf8), from: "x.txt").taskFile()
    let set = try ExampleReader(task, tokenizer: smallTokenizer())
      .read(file, labels: LabelSet(["no", "yes"]))
    let model = TaskModel(Self.sizes, task.problem, outputs: 2, style: .transformers)
    return PredictionLines(set.predictions(outputs, of: model), outputs, set, model)
  }

  @Test
  func aLabelHasTheProbabilitiesOfAllClasses() throws {
    let task = Task.custom(
      .classification, .table(Columns(first: .named("text"), label: .named("label"))))
    let answered = try answered(task, "the cat\nmat\n", [0, Float(log(3.0)), 7, 7])
    #expect(try answered.texts(json: false) == ["yes\t0.7500", "no\t0.5000"])
    #expect(
      try answered.texts(json: true)[0]
        == #"{"label":"yes","probabilities":{"no":0.25,"yes":0.75}}"#)
  }

  /// Only the first tokens of words count: `catx` has two tokens.
  @Test
  func everyWordHasItsProbabilities() throws {
    let task = Task.custom(.tagging, .words(WordColumns()))
    let third = Float(log(3.0))
    let answered = try answered(task, "catx mat\n", [9, 0, third, 0, 9, 0, 0, third, 9, 0])
    #expect(
      try answered.texts(json: true) == [
        #"{"probabilities":[{"no":0.75,"yes":0.25},{"no":0.25,"yes":0.75}],"#
          + #""tags":["no","yes"],"words":["catx","mat"]}"#
      ])
    #expect(try answered.texts(json: false) == ["catx no\nmat yes\n"])
  }

  /// The passage has a line break; the sequence is `[CLS] ? [SEP] the cat [SEP]`.
  @Test
  func anAnswerIsOneLine() throws {
    let text =
      #"{"data": [{"paragraphs": [{"context": "the\ncat", "#
      + #""qas": [{"id": "1", "question": "?"}]}]}]}"#
    var outputs = [Float](repeating: 0, count: 12)
    (outputs[2 * 3], outputs[2 * 4 + 1]) = (9, 9)
    let answered = try answered(Task.custom(.span, .questions), text, outputs)
    #expect(try answered.texts(json: false) == ["the cat"])
    #expect(try answered.texts(json: true)[0].contains(#""answer":"the\ncat""#))
  }
}
