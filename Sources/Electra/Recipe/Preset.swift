import Layers

/// A named model size with its recipe.
///
/// `small`, `base` and `large` are the paper's (ELECTRA, tables 1 and 6). `small++` is the released
/// small model, whose generator is as wide as its discriminator. `tiny` is ours: it trains on two
/// cores in minutes, and its `objective` is the one that learned most there of those that detect
/// replaced tokens. Every preset sets every field.
package enum Preset: String, Sendable, CaseIterable {
  case tiny
  case small
  case smallPlusPlus = "small++"
  case base
  case large

  /// The objective of a new run of the preset, unless the user gives one.
  package var objective: PretrainingTask.Objective { self == .tiny ? .mlmRTD : .electra }

  /// The configuration of the preset for a vocabulary of this size and an objective.
  package func configuration(
    vocabularySize: Int, objective: PretrainingTask.Objective = .electra
  ) -> PretrainingConfiguration {
    let (embedding, discriminator, generator) = networks
    var model = ElectraSizes(
      vocabularySize: vocabularySize, embeddingSize: embedding, generator: generator,
      discriminator: discriminator)
    if self == .tiny { model.positionInitializer = .sinusoids }
    var recipe = electraRecipe
    recipe.change(to: objective)
    if self == .tiny { Self.tune(&recipe) }
    return PretrainingConfiguration(model: model, recipe: recipe)
  }

  /// Sets what was best in three pilots of each objective (article Experiments).
  ///
  /// The objectives that only the paper compares had none.
  private static func tune(_ recipe: inout PretrainingConfiguration.Recipe) {
    let objective = recipe.task.objective
    guard objective == .mlm || objective.masksAndReplaces else { return }
    recipe.use(.muon)
    recipe.maskFraction = 0.25
    if objective.masksAndReplaces { recipe.discriminatorRamp = [0.1, 0.4] }
    // The quick start, whose build is included, is done in eight minutes.
    (recipe.steps, recipe.warmupSteps) = (3500, 1050)
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

  /// An encoder as in the paper: heads of width 64, feed-forward layers of four times the width.
  private static func encoder(_ width: Int, layers: Int) -> EncoderSizes {
    EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: width / 64, intermediateSize: 4 * width)
  }

  /// An encoder for short runs: heads of width 32, no dropout (a run is about one epoch), and
  /// initial weights of the order of 1 / sqrt(width).
  ///
  /// With BERT's 0.02, attention is almost uniform at the start, and Adam's first steps exceed the
  /// embeddings.
  private static func tinyEncoder(_ width: Int, layers: Int) -> EncoderSizes {
    var sizes = EncoderSizes(
      hiddenSize: width, layerCount: layers, headCount: width / 32, intermediateSize: 4 * width,
      dropoutRate: 0, attentionDropoutRate: 0)
    sizes.standardDeviation = 0.08
    return sizes
  }

  /// The recipe with ELECTRA's objective.
  private var electraRecipe: PretrainingConfiguration.Recipe {
    switch self {
    case .tiny:
      var recipe = Self.recipe(length: 64, batch: 32, steps: 5000, learningRate: 1.5e-3)
      recipe.warmupSteps = 1500
      recipe.beta2 = 0.98
      return recipe
    case .small: return Self.recipe(length: 128, batch: 128, steps: 1_000_000, learningRate: 5e-4)
    case .smallPlusPlus:
      return Self.recipe(length: 512, batch: 128, steps: 4_000_000, learningRate: 5e-4)
    case .base: return Self.recipe(length: 512, batch: 256, steps: 766_000, learningRate: 2e-4)
    case .large:
      var recipe = Self.recipe(length: 512, batch: 2048, steps: 400_000, learningRate: 2e-4)
      recipe.maskFraction = 0.25
      return recipe
    }
  }

  /// A recipe with the values that all of the paper's have in common.
  private static func recipe(
    length: Int, batch: Int, steps: Int, learningRate: Double
  ) -> PretrainingConfiguration.Recipe {
    let fields = PretrainingConfiguration.Recipe.Fields(
      length: length, batchSize: batch, steps: steps, warmupSteps: 10_000,
      learningRate: learningRate,
      maskFraction: 0.15, masksWholeWords: false, discriminatorWeight: 50, weightDecay: 0.01,
      beta1: 0.9, beta2: 0.999, epsilon: 1e-6, clipNorm: 1, slices: 0,
      microBatchTokens: 512, seed: 1)
    return PretrainingConfiguration.Recipe(fields: fields)
  }
}
