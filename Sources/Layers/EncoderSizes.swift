/// The sizes of a transformer encoder.
package struct EncoderSizes: Sendable, Equatable, Codable {
  package var hiddenSize: Int  // D
  package var layerCount: Int  // L
  package var headCount: Int  // H
  package var intermediateSize: Int  // F
  /// The dropout probability of embeddings and of each sub-layer's output.
  package var dropoutRate: Float
  /// The dropout probability of attention probabilities.
  package var attentionDropoutRate: Float
  /// The epsilon of the layer normalisations.
  package var epsilon: Float = 1e-12
  /// The standard deviation of the initial weights of encoder and embeddings.
  package var standardDeviation: Float = 0.02

  /// The standard deviation of initial head weights.
  ///
  /// It does not depend on the encoder's, so that initial logits are near 0 (as in BERT).
  package static let headStandardDeviation: Float = 0.02

  /// Sizes with BERT's epsilon and standard deviation.
  package init(
    hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int,
    dropoutRate: Float = 0.1, attentionDropoutRate: Float = 0.1
  ) {
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.dropoutRate = dropoutRate
    self.attentionDropoutRate = attentionDropoutRate
  }

  private enum CodingKeys: String, CodingKey {
    case hiddenSize = "hidden_size"
    case layerCount = "num_hidden_layers"
    case headCount = "num_attention_heads"
    case intermediateSize = "intermediate_size"
    case dropoutRate = "hidden_dropout_prob"
    case attentionDropoutRate = "attention_probs_dropout_prob"
    case epsilon = "layer_norm_eps"
    case standardDeviation = "initializer_range"
  }

  /// The sizes of an encoder with these fractions of the width and depth (ELECTRA, table 6:
  /// generator size).
  ///
  /// Heads keep their width. The result has at least one head and one layer, and its width is
  /// rounded down to a multiple of its head count.
  package func scaled(width: Double, depth: Double) -> EncoderSizes {
    var result = self
    let target = max(1, Int((Double(hiddenSize) * width).rounded()))
    result.headCount = max(1, target / (hiddenSize / headCount))
    result.hiddenSize = target / result.headCount * result.headCount
    result.intermediateSize = max(1, intermediateSize * result.hiddenSize / hiddenSize)
    result.layerCount = max(1, Int((Double(layerCount) * depth).rounded()))
    return result
  }
}
