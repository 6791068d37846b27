import Layers
import Tensors

/// The discriminator's head: for each token, the logit of having been replaced.
///
///     logit = gelu(h W + b) w + c
///
/// The probability of a replacement is sigmoid(logit) (ELECTRA, section 2).
package struct DiscriminatorHead: Sendable {
  let dense: Linear
  let prediction: Linear
  /// The range of its parameters in the flat vector.
  let range: Range<Int>

  init(_ sizes: EncoderSizes, in layout: inout ParameterLayout) {
    let start = layout.count
    dense = Linear(
      "discriminator_predictions.dense", input: sizes.hiddenSize, output: sizes.hiddenSize,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
    prediction = Linear(
      "discriminator_predictions.dense_prediction", input: sizes.hiddenSize, output: 1,
      standardDeviation: EncoderSizes.headStandardDeviation, in: &layout)
    range = start..<layout.count
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    let geluDerivative: Tensor  // (N, D)
    let dense: Tensor  // (N, D)
    package let logits: Tensor  // (1, N)

    init(_ shape: BatchShape, size: Int, arena: Arena) {
      geluDerivative = arena.tensor(shape.tokens, size)
      dense = arena.tensor(shape.tokens, size)
      logits = arena.tensor(1, shape.tokens)
    }
  }

  /// The number of floats that `MicroBatchPass.discriminate` takes from an arena.
  ///
  /// `network` is the encoder under this head. Beside the activations there are the gradients of
  /// logits, hidden states, dense layer and embeddings.
  func capacity(_ network: Network, _ shape: BatchShape) -> Int {
    let width = network.encoder.sizes.hiddenSize
    return Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      _ = Activations(shape, size: width, arena: arena)
      for width in [1, width, width, network.embeddingSize] {
        _ = arena.tensor(shape.tokens, width)
      }
    }
  }

  /// Fills `activations.logits` from `hidden` (N, D).
  func forward(_ hidden: HiddenStates, _ activations: Activations, _ pass: PassContext) {
    dense.forwardWithGELU(
      hidden.operand, derivative: activations.geluDerivative, into: .float32(activations.dense),
      pass)
    activations.dense.dotRows(
      weight: pass.weights[prediction.weight], bias: pass.weights[prediction.bias][0, 0],
      into: activations.logits.base)
  }

  /// Adds all parameter gradients and writes the gradient of `hidden` into `hiddenGradient` (N, D).
  ///
  /// `logitGradients` is (1, N). `hidden` and `activations` are those of the forward pass.
  func backward(
    _ logitGradients: Tensor, hidden: HiddenStates, _ activations: Activations,
    into hiddenGradient: Tensor, arena: Arena, _ pass: PassContext
  ) {
    let denseGradient = arena.tensor(hidden.rows, hidden.columns)
    activations.dense.dotRowsBackward(
      outputGradients: logitGradients.base, weight: pass.weights[prediction.weight],
      weightGradient: pass.gradient(prediction.weight),
      biasGradient: pass.gradient(prediction.bias), into: denseGradient)
    let outputGradient = denseGradient.operand(in: pass.weights.arithmetic)
    denseGradient.geluBackward(
      derivative: activations.geluDerivative, biasGradient: pass.gradient(dense.bias),
      into: outputGradient)
    dense.backward(
      outputGradient: outputGradient, input: hidden.operand, into: hiddenGradient, adding: false,
      pass)
  }
}
