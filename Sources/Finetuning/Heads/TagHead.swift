import Layers
import Tensors

/// Predicts a tag of each token: transformers' ElectraForTokenClassification.
///
///     logits = drop(h) W + b
///
/// The reference's head is the same without dropout. Every token has logits. The loss is the
/// softmax cross-entropy, summed over the tokens with a tag, which are the first tokens of words.
/// Tokens with tag -1 have no loss.
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
    /// The encoder's output after dropout.
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

  private func forward(_ hidden: Tensor, _ activations: Activations, _ pass: PassContext) {
    activations.input.copy(from: hidden)
    activations.input.dropTokens(dropout, pass)
    output.forward(.float32(activations.input), into: .float32(activations.logits), pass)
  }

  func outputCount(tokens: Int) -> Int { tokens * output.weight.rows }

  /// C logits for each token.
  func outputs(_ input: HeadInput) -> [Float] {
    let activations = Activations(input.batch.tokenCount, output, arena: input.arena)
    forward(input.hidden, activations, input.pass)
    return activations.logits.floats
  }

  func accumulateGradients(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let activations = Activations(input.batch.tokenCount, output, arena: input.arena)
    forward(hidden, activations, pass)
    activations.logitGradient.fill(0)
    var loss = 0.0
    for (range, target) in zip(pass.ranges, targets) {
      guard case .tags(let tags) = target else { continue }
      for (token, tag) in zip(range, tags) where tag >= 0 {
        let (value, derivatives) = input.crossEntropy(
          activations.logits.doubles(row: token), label: Int(tag))
        loss += value
        for (c, derivative) in derivatives.enumerated() {
          activations.logitGradient[token, c] = weight * Float(derivative)
        }
      }
    }
    pass.gradient(output.bias).addSumOfRows(of: activations.logitGradient)
    output.backward(
      outputGradient: .float32(activations.logitGradient), input: .float32(activations.input),
      into: gradient, adding: false, pass)
    // The mask of the forward pass, recomputed.
    gradient.dropTokens(dropout, pass)
    return loss
  }
}
