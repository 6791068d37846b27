import Layers
import Tensors

/// A tag for each token: `logits = drop(h) W + b`, transformers' ElectraForTokenClassification. The
/// reference's head is the same without dropout.
///
/// Every token gets logits; the loss is the softmax cross-entropy of those that are asked for, the
/// first pieces of words.
struct TagHead: Head {
  private let output: Linear
  private let dropout: DropoutSite

  init(_ sizes: EncoderSizes, outputs: Int, style: HeadStyle, in layout: inout ParameterLayout) {
    output = Linear(
      "classifier", input: sizes.hiddenSize, output: outputs,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
    dropout = DropoutSite("classifier", rate: style == .reference ? 0 : sizes.dropoutRate)
  }

  private struct Activations {
    let input: Tensor  // (N, D)
    let logits: Tensor  // (N, C)
    let logitGradient: Tensor  // (N, C)

    init(_ tokens: Int, _ output: Linear, arena: Arena) {
      input = arena.tensor(tokens, output.weight.columns)
      logits = arena.tensor(tokens, output.weight.rows)
      logitGradient = arena.tensor(tokens, output.weight.rows)
    }
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    _ = Activations(shape.tokens, output, arena: arena)
  }

  private func forward(_ hidden: Tensor, _ own: Activations, _ pass: PassContext) {
    own.input.copy(from: hidden)
    own.input.dropTokens(dropout, pass)
    output.forward(own.input, into: own.logits, pass)
  }

  func answerCount(tokens: Int) -> Int { tokens * output.weight.rows }

  /// C numbers for each token.
  func answers(_ input: HeadInput) -> [Float] {
    let own = Activations(input.batch.tokenCount, output, arena: input.arena)
    forward(input.hidden, own, input.pass)
    return own.logits.floats
  }

  func learn(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let own = Activations(input.batch.tokenCount, output, arena: input.arena)
    forward(hidden, own, pass)
    own.logitGradient.fill(0)
    var loss = 0.0
    for (range, target) in zip(pass.ranges, targets) {
      guard case .tags(let tags) = target else { continue }
      for (token, tag) in zip(range, tags) where tag >= 0 {
        let (value, derivatives) = softmaxCrossEntropy(
          logits: own.logits.doubles(row: token), label: Int(tag))
        loss += value
        for (c, derivative) in derivatives.enumerated() {
          own.logitGradient[token, c] = weight * Float(derivative)
        }
      }
    }
    pass.gradient(output.bias).addSumOfRows(of: own.logitGradient)
    output.backward(
      outputGradient: own.logitGradient, input: own.input, into: gradient, adding: false, pass)
    gradient.dropTokens(dropout, pass)
    return loss
  }
}
