import Layers
import Tensors

/// A transformer: embeddings, which it may share, a projection where widths differ, an encoder.
package struct Network: Sendable {
  package let embeddings: Embeddings
  let embeddingDropout: DropoutSite
  /// Embedding to hidden width; nil where they are equal.
  let projection: Linear?
  package let encoder: TransformerEncoder
  let embeddingSize: Int
  /// Where the projection lies in the flat vector; empty where there is none.
  let projectionRange: Range<Int>

  /// Declares `name.embeddings_project` and `name.encoder`.
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

  /// `range`, which holds its encoder, cut between layers into parts of 2 MB or more, from below: they
  /// travel while a pass is in others.
  package func parts(of range: Range<Int>) -> [Range<Int>] {
    var cuts = [range.lowerBound]
    for layer in encoder.layerRanges
    where layer.upperBound - (cuts.last ?? 0) >= 1 << 19
      && range.upperBound - layer.upperBound >= 1 << 19
    {
      cuts.append(layer.upperBound)
    }
    return zip(cuts, cuts.dropFirst() + [range.upperBound]).map { $0..<$1 }
  }

  /// What a forward pass leaves for the backward pass.
  package struct Activations {
    let embeddings: Embeddings.Activations
    /// The encoder's input: (N, D).
    package let input: Tensor
    package let encoder: TransformerEncoder.Activations

    package init(_ network: Network, _ shape: BatchShape, arena: Arena) {
      embeddings = Embeddings.Activations(shape, size: network.embeddingSize, arena: arena)
      input =
        network.projection == nil
        ? embeddings.output : arena.tensor(shape.tokens, network.encoder.sizes.hiddenSize)
      encoder = TransformerEncoder.Activations(network.encoder.sizes, shape, arena: arena)
    }
  }

  /// Encodes `tokens` (N) with segment ids `types` (N); returns (N, D).
  package func forward(
    tokens: [Int32], types: [UInt8], _ activations: Activations, _ pass: PassContext
  ) -> Tensor {
    pass.progress?.needs(projectionRange)
    embeddings.forward(
      tokens: tokens, types: types, activations.embeddings, dropout: embeddingDropout, pass)
    projection?.forward(activations.embeddings.output, into: activations.input, pass)
    return encoder.forward(activations.input, activations.encoder, pass)
  }

  /// Adds all parameter gradients; `gradient` (N, D), that of the output, is used up.
  package func backward(
    _ gradient: Tensor, tokens: [Int32], types: [UInt8], _ activations: Activations, arena: Arena,
    _ pass: PassContext
  ) {
    encoder.backward(gradient, input: activations.input, activations.encoder, pass)
    var embeddingGradient = gradient
    if let projection {
      embeddingGradient = arena.tensor(gradient.rows, embeddingSize)
      pass.gradient(projection.bias).addSumOfRows(of: gradient)
      projection.backward(
        outputGradient: gradient, input: activations.embeddings.output, into: embeddingGradient,
        adding: false, pass)
    }
    pass.progress?.finished(projectionRange)
    embeddings.backward(
      embeddingGradient, tokens: tokens, types: types, activations.embeddings,
      dropout: embeddingDropout, pass)
  }
}
