import Layers

/// The shapes of one network with its embeddings, as in the `config.json` of a Hugging Face folder.
package struct NetworkSizes: Sendable, Equatable {
  package var vocabularySize: Int  // V
  package var embeddingSize: Int  // E
  package var positionCount: Int  // the largest sequence length
  package var typeCount: Int  // segments
  package var encoder: EncoderSizes
  /// How position embeddings are initialised.
  package var positionInitializer: PositionInitializer

  package init(
    vocabularySize: Int, embeddingSize: Int, positionCount: Int, typeCount: Int,
    encoder: EncoderSizes, positionInitializer: PositionInitializer = .normal
  ) {
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.positionCount = positionCount
    self.typeCount = typeCount
    self.encoder = encoder
    self.positionInitializer = positionInitializer
  }

  /// The first invalid size, as a sentence; nil if all are valid.
  package var problem: String? {
    for (name, value) in [
      ("vocab_size", vocabularySize), ("embedding_size", embeddingSize),
      ("max_position_embeddings", positionCount), ("hidden_size", encoder.hiddenSize),
      ("num_hidden_layers", encoder.layerCount), ("num_attention_heads", encoder.headCount),
      ("intermediate_size", encoder.intermediateSize),
    ] where !(1...Self.largest).contains(value) {
      return "\(name) is \(value); it must be between 1 and \(Self.largest)"
    }
    if encoder.layerCount > Self.mostLayers {
      return "num_hidden_layers is \(encoder.layerCount); at most \(Self.mostLayers) are supported"
    }
    if encoder.hiddenSize % encoder.headCount != 0 {
      return
        "\(encoder.headCount) attention heads do not divide a hidden size of \(encoder.hiddenSize)"
    }
    for (name, rate) in [
      ("hidden_dropout_prob", encoder.dropoutRate),
      ("attention_probs_dropout_prob", encoder.attentionDropoutRate),
    ] where !(0..<1).contains(rate) {
      return "\(name) is \(rate); it must be at least 0 and below 1"
    }
    if typeCount < 2 || typeCount > Self.largest {
      return "type_vocab_size is \(typeCount); it must be between 2 and \(Self.largest)"
    }
    if !(encoder.epsilon > 0) {
      return "layer_norm_eps is \(encoder.epsilon); it must be above 0"
    }
    return weightCount > Self.mostWeights
      ? "matrices and tables have \(weightCount) weights, above the limit of \(Self.mostWeights)"
      : nil
  }

  /// The weights of the tables and of the matrices of encoder layers.
  private var weightCount: Double {
    let (d, f) = (Double(encoder.hiddenSize), Double(encoder.intermediateSize))
    let rows = Double(vocabularySize) + Double(positionCount) + Double(typeCount)
    return rows * Double(embeddingSize) + Double(encoder.layerCount) * (4 * d * d + 2 * d * f)
  }

  /// Bounds that keep every product of two sizes, and the bytes of all weights and moments, well
  /// below overflow.
  private static let largest = 1 << 24
  private static let mostLayers = 1000
  private static let mostWeights = 1e12
}

extension ElectraSizes {
  /// The sizes of one of the two networks, with the shared embeddings.
  package subscript(part: ModelPart) -> NetworkSizes {
    NetworkSizes(
      vocabularySize: vocabularySize, embeddingSize: embeddingSize, positionCount: positionCount,
      typeCount: typeCount, encoder: part == .generator ? generator : discriminator,
      positionInitializer: positionInitializer)
  }

  /// A discriminator with a generator of a quarter of its width and equal depth, as in the paper's
  /// small model (table 6).
  package init(discriminator part: NetworkSizes) {
    self.init(discriminator: part, generator: part.encoder.scaled(width: 0.25, depth: 1))
  }

  /// A discriminator with a generator of these sizes and shared embeddings.
  package init(discriminator part: NetworkSizes, generator: EncoderSizes) {
    self.init(
      vocabularySize: part.vocabularySize, embeddingSize: part.embeddingSize,
      positionCount: part.positionCount, typeCount: part.typeCount, generator: generator,
      discriminator: part.encoder)
  }
}

extension Embeddings {
  /// Declares embeddings, by default the shared ones.
  ///
  /// Epsilon and standard deviation are those of the encoder. With `areDifferences` the caller sets
  /// their base.
  package init(
    _ sizes: NetworkSizes, named name: String = "embeddings", areDifferences: Bool = false,
    in layout: inout ParameterLayout
  ) {
    let standardDeviation = sizes.encoder.standardDeviation
    var tables = Sizes(
      vocabularySize: sizes.vocabularySize, positionCount: sizes.positionCount,
      typeCount: sizes.typeCount, size: sizes.embeddingSize)
    tables.areDifferences = areDifferences
    self.init(
      name, tables, epsilon: sizes.encoder.epsilon, standardDeviation: standardDeviation,
      positions: sizes.positionInitializer == .sinusoids
        ? .sinusoids(standardDeviation: standardDeviation)
        : .truncatedNormal(standardDeviation: standardDeviation), in: &layout)
  }
}
