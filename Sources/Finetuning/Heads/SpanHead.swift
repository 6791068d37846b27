import Layers
import Tensors

/// Predicts the first and the last token of an answer independently, with two logits for each
/// token: transformers' ElectraForQuestionAnswering.
///
///     loss = (cross-entropy of the start + cross-entropy of the end) / 2
///
/// Both softmaxes run over all tokens of the sequence. The target of a sequence without an answer
/// is the first token, [CLS], for both.
struct SpanHead: Head {
  private let output: Linear

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    output = Linear(
      "qa_outputs", input: sizes.hiddenSize, output: 2,
      standardDeviation: EncoderSizes.headStandardDeviation,
      in: &layout)
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    // Logits and their gradient.
    for _ in 0..<2 { _ = arena.tensor(shape.tokens, 2) }
  }

  func outputCount(tokens: Int) -> Int { 2 * tokens }

  /// The start logit and the end logit of each token. (T, 2) for each sequence
  func outputs(_ input: HeadInput) -> [Float] {
    let logits = input.arena.tensor(input.batch.tokenCount, 2)
    output.forward(.float32(input.hidden), into: .float32(logits), input.pass)
    return logits.floats
  }

  func accumulateGradients(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let logits = input.arena.tensor(input.batch.tokenCount, 2)
    let logitGradient = input.arena.tensor(input.batch.tokenCount, 2)
    output.forward(.float32(hidden), into: .float32(logits), pass)
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
      outputGradient: .float32(logitGradient), input: .float32(hidden), into: gradient,
      adding: false, pass)
    return loss
  }
}
