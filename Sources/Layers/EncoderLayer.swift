import Tensors

/// One layer of a post-norm BERT encoder.
///
///     h = norm(x + dropout(attention(x) W_o + b_o))
///     y = norm(h + dropout(gelu(h W_1 + b_1) W_2 + b_2))
///
/// (Devlin et al. 2019; Vaswani et al. 2017, section 3.1.) Biases are added in the same sweep as
/// the operation that follows the product, see `Linear`.
package struct EncoderLayer: Sendable {
  let attention: Attention
  let attentionOutput: Linear
  let attentionNorm: LayerNorm
  let attentionDropout: DropoutSite
  let intermediate: Linear
  let output: Linear
  let outputNorm: LayerNorm
  let outputDropout: DropoutSite

  /// Declares the parameters under Hugging Face's names, after `name`.
  package init(_ name: String, _ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    let (d, f) = (sizes.hiddenSize, sizes.intermediateSize)
    attention = Attention(
      name + ".attention.self", size: d, headCount: sizes.headCount,
      dropoutRate: sizes.attentionDropoutRate, standardDeviation: sizes.standardDeviation,
      in: &layout)
    attentionOutput = Linear(
      name + ".attention.output.dense", input: d, output: d,
      standardDeviation: sizes.standardDeviation,
      in: &layout)
    attentionNorm = LayerNorm(
      name + ".attention.output.LayerNorm", size: d, epsilon: sizes.epsilon, in: &layout)
    attentionDropout = DropoutSite(name + ".attention.output", rate: sizes.dropoutRate)
    intermediate = Linear(
      name + ".intermediate.dense", input: d, output: f, standardDeviation: sizes.standardDeviation,
      in: &layout)
    output = Linear(
      name + ".output.dense", input: f, output: d, standardDeviation: sizes.standardDeviation,
      in: &layout)
    outputNorm = LayerNorm(
      name + ".output.LayerNorm", size: d, epsilon: sizes.epsilon, in: &layout)
    outputDropout = DropoutSite(name + ".output", rate: sizes.dropoutRate)
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    package let attention: Attention.Activations
    let attentionNorm: LayerNorm.Activations
    /// The derivative of GELU at each entry. (N, F)
    package let geluDerivative: Tensor
    /// The output of GELU. (N, F)
    package let intermediate: Operand
    let outputNorm: LayerNorm.Activations

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    ///
    /// `stream` (N, D) is memory for the values of the residual stream, which each normalisation
    /// overwrites; nil for separate memory. A layer that is recomputed reads the values of the
    /// layer before it, so with recomputation outputs have separate memory in any case.
    package init(
      _ sizes: EncoderSizes, _ shape: BatchShape, stream: Tensor? = nil, arena: Arena
    ) {
      attention = Attention.Activations(
        shape, size: sizes.hiddenSize, headCount: sizes.headCount, arena: arena)
      attentionNorm = LayerNorm.Activations(
        shape, size: sizes.hiddenSize, values: stream, arena: arena)
      geluDerivative = arena.tensor(shape.tokens, sizes.intermediateSize)
      intermediate = arena.operand(shape.tokens, sizes.intermediateSize, in: shape.arithmetic)
      outputNorm = LayerNorm.Activations(
        shape, size: sizes.hiddenSize, values: shape.recomputes ? nil : stream, arena: arena)
    }

    /// Activations in the memory of `other`, with a separate output.
    init(sharing other: Activations, _ shape: BatchShape, arena: Arena) {
      attention = other.attention
      attentionNorm = other.attentionNorm
      geluDerivative = other.geluDerivative
      intermediate = other.intermediate
      outputNorm = LayerNorm.Activations(sharing: other.outputNorm, shape, arena: arena)
    }
  }

  /// Temporary memory that the layers of an encoder use in turn.
  package struct Scratch {
    let attention: Attention.Scratch
    // Gradients of the backward pass.
    let branch: Operand  // (N, D)
    let context: Operand  // (N, D)
    let intermediate: Operand  // (N, F)

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ sizes: EncoderSizes, _ shape: BatchShape, arena: Arena) {
      attention = Attention.Scratch(shape, size: sizes.hiddenSize, arena: arena)
      branch = arena.operand(shape.tokens, sizes.hiddenSize, in: shape.arithmetic)
      context = arena.operand(shape.tokens, sizes.hiddenSize, in: shape.arithmetic)
      intermediate = arena.operand(shape.tokens, sizes.intermediateSize, in: shape.arithmetic)
    }
  }

  /// Fills `activations` from `input` (N, D); the result is `activations.outputNorm.output` (N, D).
  package func forward(
    _ input: HiddenStates, _ activations: Activations, _ scratch: Scratch, _ pass: PassContext
  ) {
    attention.forward(input.operand, activations.attention, scratch.attention, pass)
    attentionOutput.product(
      activations.attention.context, into: activations.attentionNorm.normalized, pass)
    attentionNorm.forward(
      activations.attentionNorm, bias: attentionOutput.bias, residual: input.values,
      dropout: attentionDropout, pass)
    intermediate.forwardWithGELU(
      activations.attentionNorm.output.operand, derivative: activations.geluDerivative,
      into: activations.intermediate, pass)
    output.product(activations.intermediate, into: activations.outputNorm.normalized, pass)
    outputNorm.forward(
      activations.outputNorm, bias: output.bias, residual: activations.attentionNorm.output.values,
      dropout: outputDropout, pass)
  }

  /// Adds the parameter gradients and turns `gradient` (N, D) from the output's into the input's.
  ///
  /// `gradient` follows the residual stream: each sub-layer adds its part to it. `input` must be
  /// the input of the forward pass that filled `activations`.
  package func backward(
    _ gradient: Tensor, input: Operand, _ activations: Activations, _ scratch: Scratch,
    _ pass: PassContext
  ) {
    outputNorm.backward(
      activations.outputNorm, gradient: gradient, bias: output.bias, dropout: outputDropout,
      into: scratch.branch, pass)
    output.backwardThroughGELU(
      outputGradient: scratch.branch, input: activations.intermediate,
      derivative: activations.geluDerivative, bias: intermediate.bias, into: scratch.intermediate,
      pass)
    intermediate.backward(
      outputGradient: scratch.intermediate, input: activations.attentionNorm.output.operand,
      into: gradient, adding: true, pass)
    attentionNorm.backward(
      activations.attentionNorm, gradient: gradient, bias: attentionOutput.bias,
      dropout: attentionDropout, into: scratch.branch, pass)
    attentionOutput.backward(
      outputGradient: scratch.branch, input: activations.attention.context,
      into: scratch.context, pass)
    attention.backward(
      contextGradient: scratch.context, input: input, activations.attention, scratch.attention,
      addingTo: gradient, pass)
  }
}
