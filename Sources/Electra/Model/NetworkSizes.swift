import Layers

/// The shapes of one network with its embeddings: what the `config.json` of a Hugging Face ELECTRA or
/// BERT folder says.
package struct NetworkSizes: Sendable, Equatable {
  package var vocabularySize: Int  // V
  package var embeddingSize: Int  // E
  package var positionCount: Int
  package var typeCount: Int
  package var encoder: EncoderSizes
  /// How position embeddings begin.
  package var firstPositions: FirstPositions

  package init(
    vocabularySize: Int, embeddingSize: Int, positionCount: Int, typeCount: Int,
    encoder: EncoderSizes, firstPositions: FirstPositions = .normal
  ) {
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.positionCount = positionCount
    self.typeCount = typeCount
    self.encoder = encoder
    self.firstPositions = firstPositions
  }

  /// What is wrong with the sizes, as a sentence; nil when a network can be made of them.
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
      return "num_hidden_layers is \(encoder.layerCount); at most \(Self.mostLayers) are possible"
    }
    if encoder.hiddenSize % encoder.headCount != 0 {
      return "\(encoder.headCount) attention heads do not divide a width of \(encoder.hiddenSize)"
    }
    for (name, rate) in [
      ("hidden_dropout_prob", encoder.dropoutRate),
      ("attention_probs_dropout_prob", encoder.attentionDropoutRate),
    ] where !(0..<1).contains(rate) {
      return "\(name) is \(rate); it must be at least 0 and below 1"
    }
    if typeCount < 2 || typeCount > Self.largest {
      return "type_vocab_size is \(typeCount); two segments are needed"
    }
    return nil
  }

  /// Bounds that keep every product of two sizes far from overflow.
  private static let largest = 1 << 24
  private static let mostLayers = 1000
}

extension ElectraSizes {
  /// One of the two networks with the shared embeddings.
  package subscript(part: ModelPart) -> NetworkSizes {
    NetworkSizes(
      vocabularySize: vocabularySize, embeddingSize: embeddingSize, positionCount: positionCount,
      typeCount: typeCount, encoder: part == .discriminator ? discriminator : generator,
      firstPositions: firstPositions)
  }

  /// A discriminator with a generator of a fourth of its width: the same head width and depth, a
  /// fourth of the heads, as the paper's small model has (table 6).
  package init(discriminator part: NetworkSizes) {
    self.init(discriminator: part, generator: part.encoder.scaled(width: 0.25, depth: 1))
  }

  /// A discriminator with a generator of these sizes, which shares its embeddings.
  package init(discriminator part: NetworkSizes, generator: EncoderSizes) {
    self.init(
      vocabularySize: part.vocabularySize, embeddingSize: part.embeddingSize,
      positionCount: part.positionCount, typeCount: part.typeCount, generator: generator,
      discriminator: part.encoder)
  }
}

extension Embeddings {
  /// Declares embeddings, by default the shared ones; their epsilon and first weights are the encoder's.
  package init(
    _ sizes: NetworkSizes, named name: String = "embeddings", in layout: inout ParameterLayout
  ) {
    let standardDeviation = sizes.encoder.standardDeviation
    self.init(
      name,
      Sizes(
        vocabularySize: sizes.vocabularySize, positionCount: sizes.positionCount,
        typeCount: sizes.typeCount, size: sizes.embeddingSize),
      epsilon: sizes.encoder.epsilon, standardDeviation: standardDeviation,
      positions: sizes.firstPositions == .sinusoids
        ? .sinusoids(standardDeviation: standardDeviation)
        : .truncatedNormal(standardDeviation: standardDeviation), in: &layout)
  }
}
