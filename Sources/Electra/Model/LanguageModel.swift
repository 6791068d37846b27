import Layers
import Tensors

/// A network with a head over the vocabulary that predicts the tokens at masked positions.
///
/// The generator is one; so is the discriminator's encoder under objectives that predict tokens.
package struct LanguageModel: Sendable {
  package let network: Network
  package let head: VocabularyHead
  /// The range of the head in the flat vector, without the word embeddings.
  let headRange: Range<Int>

  /// Declares a head for `network`, with these parameter names.
  init(
    _ network: Network, names: VocabularyHead.Names, embeddingSize: Int, vocabularySize: Int,
    in layout: inout ParameterLayout
  ) {
    self.network = network
    let start = layout.count
    head = VocabularyHead(
      names, embeddings: network.embeddings, embeddingSize: embeddingSize,
      vocabularySize: vocabularySize, network.encoder.sizes, in: &layout)
    headRange = start..<layout.count
  }

  /// The number of floats that `MicroBatchPass.predict` and `accumulatePolicyGradient` take from an
  /// arena for `masked` positions.
  func capacity(_ shape: BatchShape, masked: Int) -> Int {
    let (width, embedding) = (network.encoder.sizes.hiddenSize, head.embeddingSize)
    return Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      _ = VocabularyHead.Activations(
        head, masked: masked, in: shape.arithmetic, arena: arena)
      // Gradients of hidden states, of the head and its gathered rows, of embeddings, and the
      // scores of a baseline. Rows at masked positions are at most half of N, so the policy
      // gradient's discarded gradient fits beside the gathered rows.
      for width in [width, embedding, width, embedding, 1] {
        _ = arena.tensor(shape.tokens, width)
      }
    }
  }
}
