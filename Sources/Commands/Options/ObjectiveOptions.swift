import ArgumentParser
import Electra
import Layers

/// What the paper varies: what is learnt, what makes the samples, and how the two are trained.
struct ObjectiveOptions: ParsableArguments {
  @Option(
    help: """
      What is learnt: electra (replaced token detection); mlm (BERT's masked language modelling, with \
      the large encoder alone); or what the paper compares with: electra-15 (a loss at drawn positions \
      only), replace-mlm (tokens are named where samples stand instead of [MASK]), all-tokens-mlm \
      (every token is named, or copied).
      """)
  var objective: PretrainingTask.Objective?

  @Option(
    help: """
      What makes the samples: transformer, unigram (the data's frequencies) or uniform (any token).
      """)
  var generator: PretrainingTask.Generator?

  @Option(help: "The generator's width as a fraction of the discriminator's.")
  var generatorWidth: Double?

  @Option(help: "The generator's layers as a fraction of the discriminator's.")
  var generatorDepth: Double?

  @Option(
    help: """
      What generator and discriminator share: none, embeddings, or all (one network of two).
      """)
  var weightSharing: PretrainingTask.Sharing?

  @Option(
    help: """
      How they are trained: joint; two-stage (the generator alone, then the discriminator from its \
      weights, half of the steps each); two-stage-fresh (from new weights); adversarial (by policy \
      gradient).
      """)
  var training: PretrainingTask.Scheme?

  @Option(help: "The share of tokens that is masked.")
  var maskFraction: Double?

  @Option(help: "What the generator's logits are divided by when it samples.")
  var temperature: Float?

  @Option(help: "The weight of the discriminator's loss beside the generator's.")
  var discriminatorWeight: Float?

  @Flag(help: "Never sample the right token.")
  var disallowCorrect = false

  @Flag(
    help: """
      Draw masked positions with replacement as the reference does: one drawn twice counts twice, and \
      gets the mean of two ids.
      """)
  var maskWithReplacement = false

  func validate() throws {
    for (name, value) in [
      ("--generator-width", generatorWidth), ("--generator-depth", generatorDepth),
    ] {
      if let value, !(value > 0 && value <= 4) {
        throw ValidationError("\(name) \(value) is not a fraction between 0 and 4")
      }
    }
  }

  func apply(to recipe: inout PretrainingConfiguration.Recipe) {
    if let objective, objective != recipe.task.objective {
      recipe.task.objective = objective
      recipe.discriminatorWeight = objective.defaultWeight
    }
    if let generator { recipe.task.generator = generator }
    if let training {
      recipe.task.scheme = training
      if training.hasStages { recipe.task.sharing = .none }
    }
    if let weightSharing { recipe.task.sharing = weightSharing }
    if let maskFraction { recipe.maskFraction = maskFraction }
    if let temperature { recipe.task.temperature = temperature }
    if let discriminatorWeight { recipe.discriminatorWeight = discriminatorWeight }
    if disallowCorrect { recipe.task.disallowsCorrect = true }
    if maskWithReplacement { recipe.task.drawsWithReplacement = true }
  }

  /// The generator's size, where it is asked for or follows from the task.
  func apply(to sizes: inout ElectraSizes, _ task: PretrainingTask) {
    let isWhole = task.sharing == .all || task.scheme == .twoStage
    guard isWhole || generatorWidth != nil || generatorDepth != nil else { return }
    let (own, whole) = (sizes.generator, sizes.discriminator)
    sizes.generator = whole.scaled(
      width: generatorWidth
        ?? (isWhole ? 1 : Double(own.hiddenSize) / Double(whole.hiddenSize)),
      depth: generatorDepth ?? (isWhole ? 1 : Double(own.layerCount) / Double(whole.layerCount)))
  }
}

extension PretrainingTask.Objective: ExpressibleByArgument {}
extension PretrainingTask.Generator: ExpressibleByArgument {}
extension PretrainingTask.Sharing: ExpressibleByArgument {}
extension PretrainingTask.Scheme: ExpressibleByArgument {}
