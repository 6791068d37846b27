import Layers
import Tensors

/// What a language model predicts: the tokens at some positions, and samples if requested.
package struct PredictionTargets {
  /// Indices of tokens in the micro-batch. (K)
  let positions: [Int32]
  /// The tokens whose negative log-likelihoods are the losses. (K)
  let tokens: [Int32]
  /// The random numbers of the sample at position k; nil to draw no sample.
  let draws: (Int) -> SampleDraws?

  package init(
    positions: [Int32], tokens: [Int32], draws: @escaping (Int) -> SampleDraws? = { _ in nil }
  ) {
    (self.positions, self.tokens, self.draws) = (positions, tokens, draws)
  }
}

/// The head of a masked language model: a softmax over the vocabulary at each masked position.
///
///     logits = norm(gelu(h W + b)) word^T + output_bias
///
/// The output matrix is the input word embedding (ELECTRA, section 3.1: tied weights). Only the K
/// masked rows are computed, not all N. If the initial word embeddings have a larger standard
/// deviation than BERT's, the initial gain of the normalisation is smaller in proportion, so that
/// the initial loss is within a hundredth of log V.
package struct VocabularyHead: Sendable {
  /// The names of a head's parameters.
  struct Names {
    /// The prefix of `.dense` and `.LayerNorm`.
    let layers: String
    let bias: String

    static let generator = Names(layers: "generator_predictions", bias: "generator_lm_head.bias")
    static let discriminator = Names(
      layers: "discriminator_mlm_predictions", bias: "discriminator_lm_head.bias")
  }

  let dense: Linear
  let norm: LayerNorm
  let outputBias: Parameter  // (V)
  let word: EmbeddingTable  // (V, E)

  /// E.
  var embeddingSize: Int { dense.weight.rows }
  /// V.
  private var vocabularySize: Int { word.parameter.rows }

  /// Declares the head's parameters; the output matrix is that of `embeddings`.
  init(
    _ names: Names, embeddings: Embeddings, embeddingSize: Int, vocabularySize: Int,
    _ sizes: EncoderSizes,
    in layout: inout ParameterLayout
  ) {
    dense = Linear(
      names.layers + ".dense", input: sizes.hiddenSize, output: embeddingSize,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
    norm = LayerNorm(
      names.layers + ".LayerNorm", size: embeddingSize, epsilon: sizes.epsilon,
      gain: min(1, 2 * EncoderSizes.headStandardDeviation / sizes.standardDeviation), in: &layout)
    outputBias = layout.declare(names.bias, [vocabularySize], .zeros)
    word = embeddings.word
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    let hidden: HiddenStates  // (K, D)
    let geluDerivative: Tensor  // (K, E)
    package let norm: LayerNorm.Activations  // (K, E)
    /// Logits, then their exponentials, then their gradients, in place: the largest tensor of all.
    /// (K, V)
    let logits: Tensor
    /// The sums of the exponentials of each row. (1, K)
    let sums: Tensor

    init(_ head: VocabularyHead, masked: Int, in arithmetic: Arithmetic, arena: Arena) {
      hidden = HiddenStates(masked, head.dense.weight.columns, in: arithmetic, arena: arena)
      geluDerivative = arena.tensor(masked, head.embeddingSize)
      var shape = BatchShape([0..<masked])
      shape.arithmetic = arithmetic
      norm = LayerNorm.Activations(shape, size: head.embeddingSize, arena: arena)
      logits = arena.tensor(masked, head.vocabularySize)
      sums = arena.tensor(1, masked)
    }
  }

  /// The number of floats that `Activations` and `backward` take from an arena for `masked`
  /// positions.
  func capacity(masked: Int, in arithmetic: Arithmetic) -> Int {
    Arena.measure { arena in
      _ = Activations(self, masked: masked, in: arithmetic, arena: arena)
      for width in [embeddingSize, dense.weight.columns] { _ = arena.tensor(masked, width) }
    }
  }

  /// Losses, most likely tokens and samples at the masked positions.
  ///
  /// - Parameters:
  ///   - hidden: the encoder's output. (N, D)
  ///   - targets: the positions and their target tokens. (K)
  ///   - activations: filled for the backward pass.
  ///   - rule: how samples are drawn.
  ///   - pass: weights and random numbers.
  /// - Returns: the outcome at each position. (K)
  func forward(
    _ hidden: HiddenStates, _ targets: PredictionTargets, _ activations: Activations,
    rule: SamplingRule = SamplingRule(), _ pass: PassContext
  ) -> [VocabularyOutcome] {
    let positions = targets.positions
    activations.hidden.values.gatherRows(of: hidden.values, positions)
    activations.hidden.updateOperand()
    dense.forwardWithGELU(
      activations.hidden.operand, derivative: activations.geluDerivative,
      into: .float32(activations.norm.normalized), pass)
    norm.forward(
      activations.norm, bias: nil, residual: nil, dropout: nil, pass.rows(positions.count))
    let output = activations.norm.output.operand
    activations.logits.multiply(output.plain, pass.weights.transposed(of: word, for: output))
    let bias = pass.weights[outputBias]
    return positions.indices.map { k in
      let (outcome, sum) = activations.logits.vocabularySoftmax(
        row: k, bias: bias, target: targets.tokens[k], draws: targets.draws(k), rule: rule)
      activations.sums.base[k] = sum
      return outcome
    }
  }

  /// Adds all parameter gradients, and the gradient of `hidden` to `hiddenGradient` (N, D).
  ///
  /// - Parameters:
  ///   - targets: as in the forward pass. (K)
  ///   - weights: the weight of each position in the loss. (K)
  ///   - activations: as the forward pass filled them; the logits are overwritten.
  ///   - hiddenGradient: the gradient to add to; rows outside `targets` are unchanged.
  ///   - arena: temporary memory.
  ///   - pass: weights and gradients.
  func backward(
    _ targets: PredictionTargets, weights: [Float], _ activations: Activations,
    addingTo hiddenGradient: Tensor, arena: Arena, _ pass: PassContext
  ) {
    let positions = targets.positions
    let biasGradient = pass.gradient(outputBias)
    for k in positions.indices {
      activations.logits.vocabularySoftmaxBackward(
        row: k, target: targets.tokens[k], sum: activations.sums.base[k], weight: weights[k],
        biasGradient: biasGradient)
    }
    let output = arena.tensor(positions.count, embeddingSize)
    let rows = arena.tensor(positions.count, hiddenGradient.columns)
    let arithmetic = pass.weights.arithmetic
    let logitGradient = activations.logits.rounded(for: arithmetic)
    output.multiply(logitGradient.plain, pass.weights.plain(of: word, for: logitGradient))
    pass.gradient(word.parameter).multiply(
      logitGradient.transposed, activations.norm.output.operand.plain, adding: true)
    norm.backward(
      activations.norm, gradient: output, bias: nil, dropout: nil, into: nil,
      pass.rows(positions.count))
    let outputGradient = output.operand(in: arithmetic)
    output.geluBackward(
      derivative: activations.geluDerivative, biasGradient: pass.gradient(dense.bias),
      into: outputGradient)
    dense.backward(
      outputGradient: outputGradient, input: activations.hidden.operand, into: rows,
      adding: false, pass)
    hiddenGradient.scatterAddRows(of: rows, positions)
  }
}
