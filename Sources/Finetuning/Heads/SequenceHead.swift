import Layers
import Tensors

/// A label or a score for a sequence, from the encoder's output at its first token, x:
///
///     logits = drop(gelu(drop(x) W + b)) U + c       transformers' ElectraForSequenceClassification
///     logits = drop(x) U + c                         the reference
///
/// Labels are learned by softmax cross-entropy, scores by squared error.
struct SequenceHead: Head {
  /// Absent in the reference's head.
  private let dense: Linear?
  let output: Linear
  private let inputDropout: DropoutSite
  private let denseDropout: DropoutSite

  init(_ sizes: EncoderSizes, outputs: Int, style: HeadStyle, in layout: inout ParameterLayout) {
    let (d, standardDeviation) = (sizes.hiddenSize, EncoderSizes.headStandardDeviation)
    switch style {
    case .transformers:
      dense = Linear(
        "classifier.dense", input: d, output: d, standardDeviation: standardDeviation, in: &layout)
      output = Linear(
        "classifier.out_proj", input: d, output: outputs, standardDeviation: standardDeviation,
        in: &layout)
    case .reference:
      dense = nil
      output = Linear(
        "classifier", input: d, output: outputs, standardDeviation: standardDeviation, in: &layout)
    }
    inputDropout = DropoutSite("classifier", rate: sizes.dropoutRate)
    denseDropout = DropoutSite("classifier.dense", rate: sizes.dropoutRate)
  }

  private struct Activations {
    /// The dropped first tokens. (B, D)
    let input: Tensor
    /// GELU's slope, and its dropped output. (B, D)
    let geluDerivative: Tensor
    let dense: Tensor
    /// (B, C)
    let logits: Tensor
    /// The gradients of these. (B, D), (B, D), (B, C)
    let inputGradient: Tensor
    let denseGradient: Tensor
    let logitGradient: Tensor

    init(_ sequences: Int, _ output: Linear, arena: Arena) {
      let (d, c) = (output.weight.columns, output.weight.rows)
      func wide() -> Tensor { arena.tensor(sequences, d) }
      (input, geluDerivative, dense) = (wide(), wide(), wide())
      logits = arena.tensor(sequences, c)
      (inputGradient, denseGradient) = (wide(), wide())
      logitGradient = arena.tensor(sequences, c)
    }
  }

  func reserve(_ shape: BatchShape, arena: Arena) {
    _ = Activations(shape.sequences, output, arena: arena)
  }

  /// The rows of `hidden` where sequences begin.
  private func firstTokens(_ pass: PassContext) -> [Int32] {
    pass.ranges.map { Int32($0.lowerBound) }
  }

  private func forward(_ hidden: Tensor, _ own: Activations, _ pass: PassContext) {
    own.input.gatherRows(of: hidden, firstTokens(pass))
    own.input.drop(inputDropout, pass)
    if let dense {
      dense.product(own.input, into: own.geluDerivative, pass)
      own.geluDerivative.gelu(bias: pass.weights[dense.bias], into: own.dense)
      own.dense.drop(denseDropout, pass)
    }
    output.forward(dense == nil ? own.input : own.dense, into: own.logits, pass)
  }

  func answerCount(tokens: Int) -> Int { output.weight.rows }

  func answers(_ input: HeadInput) -> [Float] {
    let own = Activations(input.batch.sequenceCount, output, arena: input.arena)
    forward(input.hidden, own, input.pass)
    return own.logits.floats
  }

  func learn(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let own = Activations(input.batch.sequenceCount, output, arena: input.arena)
    forward(hidden, own, pass)
    var loss = 0.0
    for (b, target) in targets.enumerated() {
      let (value, derivatives) = Self.loss(own.logits.doubles(row: b), target)
      loss += value
      for (c, derivative) in derivatives.enumerated() {
        own.logitGradient[b, c] = weight * Float(derivative)
      }
    }
    backward(own, pass)
    gradient.fill(0)
    gradient.scatterAddRows(of: own.inputGradient, firstTokens(pass))
    return loss
  }

  /// The loss of a sequence and its derivatives by the logits.
  private static func loss(
    _ logits: [Double], _ target: Target
  ) -> (loss: Double, derivatives: [Double]) {
    switch target {
    case .label(let label): return softmaxCrossEntropy(logits: logits, label: label)
    case .score(let score):
      let error = logits[0] - Double(score)
      return (error * error, [2 * error])
    case .none, .tags, .span: return (0, logits.map { _ in 0 })
    }
  }

  /// From the logits' gradient to that of the first tokens.
  private func backward(_ own: Activations, _ pass: PassContext) {
    pass.gradient(output.bias).addSumOfRows(of: own.logitGradient)
    output.backward(
      outputGradient: own.logitGradient, input: dense == nil ? own.input : own.dense,
      into: dense == nil ? own.inputGradient : own.denseGradient, adding: false, pass)
    if let dense {
      own.denseGradient.drop(denseDropout, pass)
      own.denseGradient.geluBackward(
        derivative: own.geluDerivative, biasGradient: pass.gradient(dense.bias))
      dense.backward(
        outputGradient: own.denseGradient, input: own.input, into: own.inputGradient,
        adding: false, pass)
    }
    own.inputGradient.drop(inputDropout, pass)
  }
}
