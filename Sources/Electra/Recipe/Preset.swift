import Layers

/// A named size with its recipe. Every field is set: nothing of one size leaks into another.
///
/// `small`, `base` and `large` are the paper's (ELECTRA, tables 6 and 1); `small++` is the released
/// small model, whose generator is as wide as its discriminator; `tiny` is ours: it learns on two
/// cores in minutes.
package enum Preset: String, Sendable, CaseIterable {
  case tiny
  case small
  case smallPlusPlus = "small++"
  case base
  case large

  /// The configuration for a vocabulary of this size.
  package func configuration(vocabularySize: Int) -> PretrainingConfiguration {
    let (embedding, discriminator, generator) = networks
    var model = ElectraSizes(
      vocabularySize: vocabularySize, embeddingSize: embedding, generator: generator,
      discriminator: discriminator)
    if self == .tiny { model.firstPositions = .sinusoids }
    return PretrainingConfiguration(model: model, recipe: recipe)
  }

  private var networks: (embedding: Int, discriminator: EncoderSizes, generator: EncoderSizes) {
    switch self {
    case .tiny: (128, Self.tinyEncoder(128, layers: 3), Self.tinyEncoder(64, layers: 1))
    case .small: (128, Self.encoder(256, layers: 12), Self.encoder(64, layers: 12))
    case .smallPlusPlus: (128, Self.encoder(256, layers: 12), Self.encoder(256, layers: 12))
    case .base: (768, Self.encoder(768, layers: 12), Self.encoder(256, layers: 12))
    case .large: (1024, Self.encoder(1024, layers: 24), Self.encoder(256, layers: 24))
    }
  }

  /// Heads of 64 and a feed-forward of four times the width, as all the paper's encoders have.
  private static func encoder(_ width: Int, layers: Int) -> EncoderSizes {
    EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: width / 64, intermediateSize: 4 * width)
  }

  /// Heads of 32 that learn sooner, no dropout in a run of one epoch, and first weights of the order of
  /// 1 / sqrt(width), so that attention speaks from the start and the first, large steps of Adam do not
  /// drown the embeddings.
  private static func tinyEncoder(_ width: Int, layers: Int) -> EncoderSizes {
    var sizes = EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: width / 32, intermediateSize: 4 * width,
      dropoutRate: 0, attentionDropoutRate: 0)
    sizes.standardDeviation = 0.08
    return sizes
  }

  private var recipe: PretrainingConfiguration.Recipe {
    switch self {
    case .tiny:
      var recipe = Self.recipe(length: 64, batch: 32, steps: 5000, rate: 1.5e-3)
      recipe.warmupSteps = 1500
      recipe.beta2 = 0.98
      return recipe
    case .small: return Self.recipe(length: 128, batch: 128, steps: 1_000_000, rate: 5e-4)
    case .smallPlusPlus: return Self.recipe(length: 512, batch: 128, steps: 4_000_000, rate: 5e-4)
    case .base: return Self.recipe(length: 512, batch: 256, steps: 766_000, rate: 2e-4)
    case .large:
      var recipe = Self.recipe(length: 512, batch: 2048, steps: 400_000, rate: 2e-4)
      recipe.maskFraction = 0.25
      return recipe
    }
  }

  /// What the paper's recipes have in common.
  private static func recipe(
    length: Int, batch: Int, steps: Int, rate: Double
  ) -> PretrainingConfiguration.Recipe {
    let fields = PretrainingConfiguration.Recipe.Fields(
      length: length, batchSize: batch, steps: steps, warmupSteps: 10_000, learningRate: rate,
      maskFraction: 0.15, masksWholeWords: false, discriminatorWeight: 50, weightDecay: 0.01,
      beta1: 0.9, beta2: 0.999, epsilon: 1e-6, clipNorm: 1, slices: 0,
      microBatchTokens: 512, seed: 1)
    return PretrainingConfiguration.Recipe(fields: fields)
  }
}
