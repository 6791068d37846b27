import Layers
import Tensors

/// The discriminator's head: for each token, the logit of having been replaced.
///
///     logit = gelu(h W + b) w + c
package struct DiscriminatorHead: Sendable {
  let dense: Linear
  let prediction: Linear
  /// Where it lies in the flat vector.
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

  /// What a forward pass leaves for the backward pass.
  package struct Activations {
    let geluDerivative: Tensor  // (N, D)
    let dense: Tensor  // (N, D)
    /// (1, N)
    package let logits: Tensor

    init(_ shape: BatchShape, size: Int, arena: Arena) {
      geluDerivative = arena.tensor(shape.tokens, size)
      dense = arena.tensor(shape.tokens, size)
      logits = arena.tensor(1, shape.tokens)
    }
  }

  /// The floats that `MicroBatchPass.discriminate` takes of an arena with this head on `network`.
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
  func forward(_ hidden: Tensor, _ activations: Activations, _ pass: PassContext) {
    dense.product(hidden, into: activations.geluDerivative, pass)
    activations.geluDerivative.gelu(bias: pass.weights[dense.bias], into: activations.dense)
    activations.dense.dotRows(
      weight: pass.weights[prediction.weight], bias: pass.weights[prediction.bias][0, 0],
      into: activations.logits.base)
  }

  /// Adds all parameter gradients and writes that of `hidden` into `hiddenGradient` (N, D).
  ///
  /// - Parameter logitGradients: (1, N).
  func backward(
    _ logitGradients: Tensor, hidden: Tensor, _ activations: Activations,
    into hiddenGradient: Tensor, arena: Arena, _ pass: PassContext
  ) {
    let denseGradient = arena.tensor(hidden.rows, hidden.columns)
    activations.dense.dotRowsBackward(
      outputGradients: logitGradients.base, weight: pass.weights[prediction.weight],
      weightGradient: pass.gradient(prediction.weight),
      biasGradient: pass.gradient(prediction.bias), into: denseGradient)
    denseGradient.geluBackward(
      derivative: activations.geluDerivative, biasGradient: pass.gradient(dense.bias))
    dense.backward(
      outputGradient: denseGradient, input: hidden, into: hiddenGradient, adding: false, pass)
  }
}
