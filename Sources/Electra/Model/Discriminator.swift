import Layers
import Tensors

/// A discriminator by itself, as it is used after pre-training: embeddings, encoder and head.
///
/// Its parameters have the names that they have in `ElectraModel`, and lie in a flat vector of their
/// own.
package struct Discriminator: Sendable {
  package let sizes: NetworkSizes
  package let layout: ParameterLayout
  private let network: Network
  private let head: DiscriminatorHead

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

  /// The logit of having been replaced, for each token of `batch`; no dropout, no gradient.
  package func detect(_ batch: Batch, weights: Storage, arena: Arena) -> [Float] {
    arena.release(to: 0)
    let pass = PassContext(batch: batch, weights: weights, gradient: nil, seed: nil)
    let activations = Network.Activations(network, pass.shape, arena: arena)
    let own = DiscriminatorHead.Activations(
      pass.shape, size: sizes.encoder.hiddenSize, arena: arena)
    let hidden = network.forward(
      tokens: batch.tokens, types: batch.types, activations, pass)
    head.forward(hidden, own, pass)
    return Array(UnsafeBufferPointer(start: own.logits.base, count: batch.tokenCount))
  }

  /// The floats that `detect` takes of an arena for a batch of this shape.
  package func capacity(_ shape: BatchShape) -> Int {
    Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      _ = DiscriminatorHead.Activations(shape, size: sizes.encoder.hiddenSize, arena: arena)
    }
  }
}
