import Layers
import Tensors

/// A transformer: embeddings (possibly shared), a projection if the widths differ, and an encoder.
package struct Network: Sendable {
  package let embeddings: Embeddings
  let embeddingDropout: DropoutSite
  /// From embedding width E to hidden width D; nil if they are equal.
  let projection: Linear?
  package let encoder: TransformerEncoder
  let embeddingSize: Int
  /// The range of the projection in the flat vector; empty if there is none.
  let projectionRange: Range<Int>

  /// Declares `name.embeddings_project`, if needed, and `name.encoder`.
  package init(
    _ name: String, embeddings: Embeddings, embeddingSize: Int, _ sizes: EncoderSizes,
    in layout: inout ParameterLayout
  ) {
    self.embeddings = embeddings
    self.embeddingSize = embeddingSize
    let start = layout.count
    embeddingDropout = DropoutSite(name + ".embeddings", rate: sizes.dropoutRate)
    projection =
      embeddingSize == sizes.hiddenSize
      ? nil
      : Linear(
        name + ".embeddings_project", input: embeddingSize, output: sizes.hiddenSize,
        standardDeviation: sizes.standardDeviation, in: &layout)
    projectionRange = start..<layout.count
    encoder = TransformerEncoder(name + ".encoder", sizes, in: &layout)
  }

  /// Splits `range`, which contains the encoder, between layers into parts of at least 2 MB.
  ///
  /// A part is communicated while the pass computes the others. Smaller parts would be limited by
  /// latency. Parts are in ascending order and cover the range.
  package func parts(of range: Range<Int>) -> [Range<Int>] {
    var cuts = [range.lowerBound]
    for layer in encoder.layerRanges
    where layer.upperBound - (cuts.last ?? 0) >= 1 << 19  // floats
      && range.upperBound - layer.upperBound >= 1 << 19
    {
      cuts.append(layer.upperBound)
    }
    return zip(cuts, cuts.dropFirst() + [range.upperBound]).map { $0..<$1 }
  }

  /// The tensors that the forward pass keeps for the backward pass.
  package struct Activations {
    let embeddings: Embeddings.Activations
    /// The input of the encoder. (N, D)
    package let input: HiddenStates
    package let encoder: TransformerEncoder.Activations

    /// Takes the memory for a micro-batch of `shape` from `arena`.
    package init(_ network: Network, _ shape: BatchShape, arena: Arena) {
      embeddings = Embeddings.Activations(shape, size: network.embeddingSize, arena: arena)
      input =
        network.projection == nil
        ? embeddings.output
        : HiddenStates(
          shape.tokens, network.encoder.sizes.hiddenSize, in: shape.arithmetic, arena: arena)
      encoder = TransformerEncoder.Activations(network.encoder.sizes, shape, arena: arena)
    }
  }

  /// Runs the network on `tokens` and then its heads; if they return a gradient, also its backward
  /// pass.
  ///
  /// All memory that it takes from `arena` is released at the end.
  ///
  /// - Parameters:
  ///   - tokens: the input. (N)
  ///   - segmentIDs: the segments of the tokens. (N)
  ///   - headRanges: the ranges of the heads in the flat vector, in the order of progress reports.
  ///   - arena: memory for activations and their gradients.
  ///   - pass: weights, gradients and random numbers.
  ///   - heads: a function of the output (N, D) and the activations. It runs the forward and
  ///     backward passes of the heads and returns their outcome and the gradient of the output
  ///     (N, D); nil for no backward pass.
  /// - Returns: the outcome of the heads.
  package func run<Outcome>(
    tokens: [Int32], segmentIDs: [UInt8], headRanges: [Range<Int>], arena: Arena,
    _ pass: PassContext,
    heads: (HiddenStates, Activations) -> (outcome: Outcome, gradient: Tensor?)
  ) -> Outcome {
    let mark = arena.used
    defer { arena.release(to: mark) }
    let activations = Activations(self, pass.shape, arena: arena)
    let hidden = forward(tokens: tokens, segmentIDs: segmentIDs, activations, pass)
    for range in headRanges { pass.progress?.willRead(range) }
    let (outcome, gradient) = heads(hidden, activations)
    if let gradient {
      for range in headRanges { pass.progress?.didFinish(range) }
      backward(
        gradient, tokens: tokens, segmentIDs: segmentIDs, activations, arena: arena, pass)
    }
    return outcome
  }

  /// The hidden states of `tokens` (N) with `segmentIDs` (N); returns (N, D).
  private func forward(
    tokens: [Int32], segmentIDs: [UInt8], _ activations: Activations, _ pass: PassContext
  ) -> HiddenStates {
    pass.progress?.willRead(projectionRange)
    embeddings.forward(
      tokens: tokens, segmentIDs: segmentIDs, activations.embeddings, dropout: embeddingDropout,
      pass)
    if let projection {
      projection.forward(
        activations.embeddings.output.operand, into: .float32(activations.input.values), pass)
      activations.input.updateOperand()
    }
    return encoder.forward(activations.input, activations.encoder, pass)
  }

  /// Adds all parameter gradients.
  ///
  /// `gradient` (N, D) is the gradient of the output; its contents are overwritten. The gradient of
  /// the embeddings is not reported as final: another network may share them.
  private func backward(
    _ gradient: Tensor, tokens: [Int32], segmentIDs: [UInt8], _ activations: Activations,
    arena: Arena,
    _ pass: PassContext
  ) {
    encoder.backward(gradient, input: activations.input, activations.encoder, pass)
    var embeddingGradient = gradient
    if let projection {
      embeddingGradient = arena.tensor(gradient.rows, embeddingSize)
      pass.gradient(projection.bias).addSumOfRows(of: gradient)
      projection.backward(
        outputGradient: gradient.rounded(for: pass.weights.arithmetic),
        input: activations.embeddings.output.operand, into: embeddingGradient, adding: false, pass)
    }
    pass.progress?.didFinish(projectionRange)
    embeddings.backward(
      embeddingGradient, tokens: tokens, segmentIDs: segmentIDs, activations.embeddings,
      dropout: embeddingDropout, pass)
  }
}
