import Layers
import Tensors

/// Predicts a label or a score of a sequence from x, the encoder's output at its first token.
///
///     logits = drop(gelu(drop(x) W + b)) U + c     transformers' ElectraForSequenceClassification
///     logits = drop(x) U + c                       the reference
///
/// The loss is the softmax cross-entropy of a label, the mean sigmoid cross-entropy of the C labels
/// if a sequence may have several, or the squared error of a score (C = 1).
///
/// Dropout masks are recomputed in the backward pass, not stored.
struct SequenceHead: Head {
  /// W and b; nil in the reference's head.
  private let dense: Linear?
  /// U and c.
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
    /// The first tokens after dropout.
    let input: Tensor  // (B, D)
    /// x W before, and the derivative of GELU after `gelu`.
    let geluDerivative: Tensor  // (B, D)
    /// The output of GELU after dropout.
    let dense: Tensor  // (B, D)
    let logits: Tensor  // (B, C)
    let inputGradient: Tensor  // (B, D)
    let denseGradient: Tensor  // (B, D)
    let logitGradient: Tensor  // (B, C)

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

  /// The rows of `hidden` at which sequences begin.
  private func firstTokens(_ pass: PassContext) -> [Int32] {
    pass.ranges.map { Int32($0.lowerBound) }
  }

  private func forward(_ hidden: Tensor, _ activations: Activations, _ pass: PassContext) {
    activations.input.gatherRows(of: hidden, firstTokens(pass))
    activations.input.drop(inputDropout, pass)
    if let dense {
      dense.forwardWithGELU(
        .float32(activations.input), derivative: activations.geluDerivative,
        into: .float32(activations.dense), pass)
      activations.dense.drop(denseDropout, pass)
    }
    output.forward(
      .float32(dense == nil ? activations.input : activations.dense),
      into: .float32(activations.logits), pass)
  }

  func outputCount(tokens: Int) -> Int { output.weight.rows }

  func outputs(_ input: HeadInput) -> [Float] {
    let activations = Activations(input.batch.sequenceCount, output, arena: input.arena)
    forward(input.hidden, activations, input.pass)
    return activations.logits.floats
  }

  func accumulateGradients(
    _ input: HeadInput, targets: [Target], weight: Float, into gradient: Tensor
  ) -> Double {
    let (hidden, pass) = (input.hidden, input.pass)
    let activations = Activations(input.batch.sequenceCount, output, arena: input.arena)
    forward(hidden, activations, pass)
    var loss = 0.0
    for (b, target) in targets.enumerated() {
      let (value, derivatives) = Self.loss(activations.logits.doubles(row: b), target, input)
      loss += value
      for (c, derivative) in derivatives.enumerated() {
        activations.logitGradient[b, c] = weight * Float(derivative)
      }
    }
    backward(activations, pass)
    // Only first tokens have a gradient.
    gradient.fill(0)
    gradient.scatterAddRows(of: activations.inputGradient, firstTokens(pass))
    return loss
  }

  /// The loss of a sequence and its derivatives by the C logits.
  private static func loss(
    _ logits: [Double], _ target: Target, _ input: HeadInput
  ) -> (loss: Double, derivatives: [Double]) {
    switch target {
    case .label(let label): return input.crossEntropy(logits, label: label)
    case .labels(let labels): return sigmoidCrossEntropies(logits, labels: labels)
    case .score(let score):
      let error = logits[0] - Double(score)
      return (error * error, [2 * error])
    case .none, .tags, .span: return (0, logits.map { _ in 0 })
    }
  }

  /// The mean over C of the sigmoid cross-entropies of all labels, and its derivatives.
  private static func sigmoidCrossEntropies(
    _ logits: [Double], labels: [Int]
  ) -> (loss: Double, derivatives: [Double]) {
    let count = Double(logits.count)
    let terms = logits.enumerated().map { index, logit in
      sigmoidCrossEntropy(logit: Float(logit), label: labels.contains(index))
    }
    return (
      terms.reduce(0) { $0 + $1.loss } / count, terms.map { Double($0.derivative) / count }
    )
  }

  /// Computes `inputGradient` from `logitGradient` and adds to the parameters' gradients.
  private func backward(_ activations: Activations, _ pass: PassContext) {
    pass.gradient(output.bias).addSumOfRows(of: activations.logitGradient)
    output.backward(
      outputGradient: .float32(activations.logitGradient),
      input: .float32(dense == nil ? activations.input : activations.dense),
      into: dense == nil ? activations.inputGradient : activations.denseGradient, adding: false,
      pass)
    if let dense {
      activations.denseGradient.drop(denseDropout, pass)
      activations.denseGradient.geluBackward(
        derivative: activations.geluDerivative, biasGradient: pass.gradient(dense.bias))
      dense.backward(
        outputGradient: .float32(activations.denseGradient), input: .float32(activations.input),
        into: activations.inputGradient,
        adding: false, pass)
    }
    activations.inputGradient.drop(inputDropout, pass)
  }
}
