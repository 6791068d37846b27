import Layers
import Tensors

/// A discriminator without a generator, as used after pre-training: embeddings, encoder and head.
///
/// Parameters have the same names as in `ElectraModel` but a separate layout.
package struct StandaloneDiscriminator: Sendable {
  package let sizes: NetworkSizes
  package let layout: ParameterLayout
  private let network: Network
  private let head: DiscriminatorHead

  /// Declares the parameters of a discriminator.
  package init(_ sizes: NetworkSizes) {
    self.sizes = sizes
    var layout = ParameterLayout()
    let embeddings = Embeddings(sizes, in: &layout)
    network = Network(
      "discriminator", embeddings: embeddings, embeddingSize: sizes.embeddingSize, sizes.encoder,
      in: &layout)
    head = DiscriminatorHead(sizes.encoder, in: &layout)
    self.layout = layout
  }

  /// The logit of each token of `batch` having been replaced (N), without dropout.
  ///
  /// `arena` must hold `capacity` of the batch's shape; its contents are discarded.
  package func detect(_ batch: Batch, weights: Weights, arena: Arena) -> [Float] {
    arena.release(to: 0)
    let pass = PassContext(batch: batch, weights: weights, gradient: nil, seed: nil)
    return network.run(
      tokens: batch.tokens, segmentIDs: batch.segmentIDs, headRanges: [head.range], arena: arena,
      pass
    ) { hidden, _ in
      let activations = DiscriminatorHead.Activations(
        pass.shape, size: hidden.columns, arena: arena)
      head.forward(hidden, activations, pass)
      let logits = UnsafeBufferPointer(start: activations.logits.base, count: batch.tokenCount)
      return (Array(logits), nil)
    }
  }

  /// The number of floats that `detect` takes from an arena for a batch of this shape.
  package func capacity(_ shape: BatchShape) -> Int {
    Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      _ = DiscriminatorHead.Activations(shape, size: sizes.encoder.hiddenSize, arena: arena)
    }
  }
}
