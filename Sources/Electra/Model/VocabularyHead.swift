import Layers
import Tensors

/// What a language model is to predict: the tokens at some positions, and samples if wanted.
package struct PredictionTargets {
  /// Tokens of the micro-batch. (K)
  let positions: [Int32]
  /// The tokens whose losses count. (K)
  let tokens: [Int32]
  /// The uniform numbers of position k; nil to draw no sample.
  let draws: (Int) -> SampleDraws?

  package init(
    positions: [Int32], tokens: [Int32], draws: @escaping (Int) -> SampleDraws? = { _ in nil }
  ) {
    (self.positions, self.tokens, self.draws) = (positions, tokens, draws)
  }
}

/// The head of the generator and of other language models: at each masked position, a softmax over
/// the vocabulary.
///
///     logits = norm(gelu(h W + b)) word^T + output_bias
///
/// The output matrix is the word embedding that the network reads with (ELECTRA, section 3.1). Only
/// masked positions are ever computed: K rows, not N. Where the word embedding begins wider than
/// BERT's, the normalisation's gain begins lower, so that the first loss is within a hundredth of log V.
package struct VocabularyHead: Sendable {
  /// The names of a head's parameters.
  struct Names {
    /// What stands before `.dense` and `.LayerNorm`.
    let layers: String
    let bias: String

    static let generator = Names(layers: "generator_predictions", bias: "generator_lm_head.bias")
    static let discriminator = Names(
      layers: "discriminator_mlm_predictions", bias: "discriminator_lm_head.bias")
  }

  let dense: Linear
  let norm: LayerNorm
  let outputBias: Parameter  // (V)
  let word: Parameter  // (V, E)

  /// E, and V.
  var embeddingSize: Int { dense.weight.rows }
  private var vocabularySize: Int { word.rows }

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

  /// What a forward pass leaves for the backward pass.
  package struct Activations {
    let hidden: Tensor  // (K, D)
    let geluDerivative: Tensor  // (K, E)
    package let norm: LayerNorm.Activations  // (K, E)
    /// Logits, then their exponentials, then their gradient. (K, V)
    let logits: Tensor
    let sums: Tensor  // (1, K)

    init(_ head: VocabularyHead, masked: Int, arena: Arena) {
      hidden = arena.tensor(masked, head.dense.weight.columns)
      geluDerivative = arena.tensor(masked, head.embeddingSize)
      norm = LayerNorm.Activations(
        BatchShape([0..<masked]), size: head.embeddingSize, arena: arena)
      logits = arena.tensor(masked, head.vocabularySize)
      sums = arena.tensor(1, masked)
    }
  }

  /// Losses, best entries and samples at the masked positions.
  ///
  /// - Parameters:
  ///   - hidden: the encoder's output. (N, D)
  ///   - targets: the masked positions and what stood there. (K)
  ///   - activations: filled for the backward pass.
  ///   - rule: how samples are drawn.
  ///   - pass: weights and random numbers.
  /// - Returns: the outcome at each position. (K)
  func forward(
    _ hidden: Tensor, _ targets: PredictionTargets, _ activations: Activations,
    rule: SamplingRule = SamplingRule(), _ pass: PassContext
  ) -> [VocabularyOutcome] {
    let positions = targets.positions
    activations.hidden.gatherRows(of: hidden, positions)
    dense.product(activations.hidden, into: activations.geluDerivative, pass)
    activations.geluDerivative.gelu(
      bias: pass.weights[dense.bias], into: activations.norm.normalized)
    norm.forward(
      activations.norm, bias: nil, residual: nil, dropout: nil, pass.rows(positions.count))
    activations.logits.multiply(
      activations.norm.output.plain, pass.weights[word].transposed)
    let bias = pass.weights[outputBias]
    return positions.indices.map { k in
      let (outcome, sum) = activations.logits.vocabularySoftmax(
        row: k, bias: bias, target: targets.tokens[k], draws: targets.draws(k), rule: rule)
      activations.sums.base[k] = sum
      return outcome
    }
  }

  /// Adds all parameter gradients, and that of `hidden` to `hiddenGradient` (N, D).
  ///
  /// - Parameters:
  ///   - targets: those of the forward pass. (K)
  ///   - weights: the weight of each masked position in the loss. (K)
  ///   - activations: what the forward pass left; its logits are used up.
  ///   - hiddenGradient: added to.
  ///   - arena: memory for this pass.
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
    output.multiply(activations.logits.plain, pass.weights[word].plain)
    pass.gradient(word).multiply(
      activations.logits.transposed, activations.norm.output.plain, adding: true)
    norm.backward(
      activations.norm, gradient: output, bias: nil, dropout: nil, into: nil,
      pass.rows(positions.count))
    output.geluBackward(
      derivative: activations.geluDerivative, biasGradient: pass.gradient(dense.bias))
    dense.backward(
      outputGradient: output, input: activations.hidden, into: rows, adding: false, pass)
    hiddenGradient.scatterAddRows(of: rows, positions)
  }
}
