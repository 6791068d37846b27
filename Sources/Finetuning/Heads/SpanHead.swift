import Layers
import Tensors

/// The first and the last token of an answer, independent of each other: two logits a token,
/// transformers' ElectraForQuestionAnswering.
///
///     loss = (cross-entropy of the start + cross-entropy of the end) / 2
///
/// Both softmaxes go over all tokens of the sequence; where it holds no answer the first token, [CLS],
/// is both.
struct SpanHead: Head {
  private let output: Linear

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    output = Linear(
      "qa_outputs", input: sizes.hiddenSize, output: 2,
      standardDeviation: EncoderSizes.headStandardDeviation,
      in: &layout)
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    for _ in 0..<2 { _ = arena.tensor(shape.tokens, 2) }
  }

  func answerCount(tokens: Int) -> Int { 2 * tokens }

  /// For each token its logits to be the start and the end.
  func answers(_ input: HeadInput) -> [Float] {
    let logits = input.arena.tensor(input.batch.tokenCount, 2)
    output.forward(input.hidden, into: logits, input.pass)
    return logits.floats
  }

  func learn(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let logits = input.arena.tensor(input.batch.tokenCount, 2)
    let logitGradient = input.arena.tensor(input.batch.tokenCount, 2)
    output.forward(hidden, into: logits, pass)
    logitGradient.fill(0)
    var loss = 0.0
    for (range, target) in zip(pass.ranges, targets) {
      guard case .span(let start, let end) = target else { continue }
      for (column, label) in [start, end].enumerated() {
        let (value, derivatives) = softmaxCrossEntropy(
          logits: range.map { Double(logits[$0, column]) }, label: label)
        loss += value / 2
        for (token, derivative) in zip(range, derivatives) {
          logitGradient[token, column] = weight * Float(derivative / 2)
        }
      }
    }
    pass.gradient(output.bias).addSumOfRows(of: logitGradient)
    output.backward(
      outputGradient: logitGradient, input: hidden, into: gradient, adding: false, pass)
    return loss
  }
}
