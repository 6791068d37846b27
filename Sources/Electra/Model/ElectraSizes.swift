import Layers

/// The shapes of a generator and a discriminator with shared embeddings.
package struct ElectraSizes: Sendable, Equatable {
  package var vocabularySize: Int  // V
  package var embeddingSize: Int  // E
  package var positionCount: Int  // the largest sequence length
  package var typeCount: Int  // segments
  package var generator: EncoderSizes
  package var discriminator: EncoderSizes
  package var positionInitializer = PositionInitializer.normal

  package init(
    vocabularySize: Int, embeddingSize: Int, positionCount: Int = 512, typeCount: Int = 2,
    generator: EncoderSizes, discriminator: EncoderSizes
  ) {
    self.vocabularySize = vocabularySize
    self.embeddingSize = embeddingSize
    self.positionCount = positionCount
    self.typeCount = typeCount
    self.generator = generator
    self.discriminator = discriminator
  }

  /// Sets the generator's size to fractions of the discriminator's width and layers.
  ///
  /// By default both are 1 where `task` copies or shares whole encoders, and otherwise unchanged.
  package mutating func setGenerator(width: Double?, depth: Double?, _ task: PretrainingTask) {
    let isWhole = task.sharing == .all || task.scheme == .twoStage
    guard isWhole || width != nil || depth != nil else { return }
    let (usual, whole) = (generator, discriminator)
    generator = whole.scaled(
      width: width ?? (isWhole ? 1 : Double(usual.hiddenSize) / Double(whole.hiddenSize)),
      depth: depth ?? (isWhole ? 1 : Double(usual.layerCount) / Double(whole.layerCount)))
  }
}

/// How position embeddings are initialised; they are trained either way.
package enum PositionInitializer: String, Sendable, Codable {
  /// Truncated normal, as all other tables (the paper).
  case normal
  /// Sines and cosines.
  ///
  /// Neighbouring positions are similar from the start. Attention to adjacent tokens, which
  /// detection depends on, is then learned in a fraction of the steps.
  case sinusoids
}

extension ElectraSizes: Codable {
  // Hugging Face's keys for the discriminator; the generator's sizes are a nested object.
  private enum Key: String, CodingKey {
    case vocabularySize = "vocab_size"
    case embeddingSize = "embedding_size"
    case positionCount = "max_position_embeddings"
    case typeCount = "type_vocab_size"
    case generator
    case positionInitializer = "position_initializer"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    vocabularySize = try values.decode(Int.self, forKey: .vocabularySize)
    embeddingSize = try values.decode(Int.self, forKey: .embeddingSize)
    positionCount = try values.decode(Int.self, forKey: .positionCount)
    typeCount = try values.decode(Int.self, forKey: .typeCount)
    generator = try values.decode(EncoderSizes.self, forKey: .generator)
    positionInitializer = try values.decode(PositionInitializer.self, forKey: .positionInitializer)
    discriminator = try EncoderSizes(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws {
    try discriminator.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(vocabularySize, forKey: .vocabularySize)
    try values.encode(embeddingSize, forKey: .embeddingSize)
    try values.encode(positionCount, forKey: .positionCount)
    try values.encode(typeCount, forKey: .typeCount)
    try values.encode(generator, forKey: .generator)
    try values.encode(positionInitializer, forKey: .positionInitializer)
  }
}
