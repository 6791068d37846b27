import ArgumentParser
import Electra
import Models

/// The choices that the paper compares: objective, generator and training scheme.
struct ObjectiveOptions: ParsableArguments {
  @Option(
    help: """
      The objective: electra (replaced token detection); mlm (BERT's masked language modelling, \
      without a generator); mlm-rtd (both in one pass of one encoder: masked positions are \
      predicted, the others judged); or a comparison of the paper: electra-15 (discriminator loss \
      at masked positions only), replace-mlm (masked language modelling on samples instead of \
      [MASK]), all-tokens-mlm (predict every token, with a copy mechanism). By default mlm-rtd for \
      the size tiny, electra for the others.
      """)
  var objective: PretrainingTask.Objective?

  @Option(
    help: """
      The source of the samples: transformer, unigram (token frequencies of the data) or uniform; \
      by default unigram for mlm-rtd, otherwise transformer.
      """)
  var generator: PretrainingTask.Generator?

  @Option(help: "The generator's width as a fraction of the discriminator's.")
  var generatorWidth: Double?

  @Option(help: "The generator's layers as a fraction of the discriminator's.")
  var generatorDepth: Double?

  @Option(
    help: """
      Weights that generator and discriminator share: none, embeddings, disentangled (the \
      discriminator's tables are the generator's plus differences, which alone get its gradient), \
      or all.
      """)
  var weightSharing: PretrainingTask.Sharing?

  @Option(
    help: """
      The training scheme: joint; two-stage (half of the steps the generator alone, then the \
      discriminator from its weights); two-stage-fresh (the discriminator from new weights); \
      adversarial (the generator by policy gradient).
      """)
  var training: PretrainingTask.Scheme?

  @Option(help: "The share of tokens that are masked.")
  var maskFraction: Double?

  @Option(help: "Of mlm-rtd: the share of tokens that are replaced by samples; by default 0.08.")
  var replaceFraction: Double?

  @Option(help: "The divisor of the generator's logits when it samples.")
  var temperature: Float?

  @Option(
    help: """
      The weight of the discriminator's loss; by default 50, 10 for mlm-rtd, and 1 for the other \
      objectives that predict tokens.
      """)
  var discriminatorWeight: Float?

  @Option(
    help: """
      Where in the schedule the weight of the discriminator's loss rises from 0: two fractions of \
      the steps, such as 0.1:0.4 (the default of the size tiny with mlm-rtd); 0:0 for a constant \
      weight.
      """)
  var discriminatorRamp: Ramp?

  @Flag(help: "Never sample the original token.")
  var disallowCorrect = false

  @Flag(
    help: """
      Draw masked positions with replacement, as the reference does: a position drawn twice counts \
      twice.
      """)
  var maskWithReplacement = false

  func validate() throws {
    for (name, value) in [
      ("--generator-width", generatorWidth), ("--generator-depth", generatorDepth),
    ] {
      if let value, !(value > 0 && value <= 4) {
        throw ValidationError("\(name) must be above 0 and at most 4, not \(value)")
      }
    }
  }

  func apply(to recipe: inout PretrainingConfiguration.Recipe) {
    if let objective { recipe.change(to: objective) }
    if let generator { recipe.task.generator = generator }
    if let training {
      recipe.task.scheme = training
      if training.hasStages { recipe.task.sharing = .none }
    }
    if let weightSharing { recipe.task.sharing = weightSharing }
    if let maskFraction { recipe.maskFraction = maskFraction }
    if let temperature { recipe.task.temperature = temperature }
    if let replaceFraction { recipe.replacedFraction = replaceFraction }
    if let discriminatorWeight { recipe.discriminatorWeight = discriminatorWeight }
    if let discriminatorRamp { recipe.discriminatorRamp = discriminatorRamp.fractions }
    if disallowCorrect { recipe.task.disallowsCorrect = true }
    if maskWithReplacement { recipe.task.drawsWithReplacement = true }
  }

  /// Checks that the task has the generator network whose size an option gives.
  func check(_ task: PretrainingTask) throws {
    for (option, value) in [
      ("--generator-width", generatorWidth), ("--generator-depth", generatorDepth),
    ] where value != nil {
      if let problem = task.problem(ofGeneratorOption: option) { throw UsageError(problem) }
    }
  }

  /// Sets the generator's size if an option gives it or the task implies it.
  func apply(to sizes: inout ElectraSizes, _ task: PretrainingTask) {
    sizes.setGenerator(width: generatorWidth, depth: generatorDepth, task)
  }
}

/// Two fractions of a schedule, such as `0.1:0.4`.
struct Ramp: ExpressibleByArgument {
  let fractions: [Double]

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    fractions = parts.compactMap { Double($0) }
    guard parts.count == 2, fractions.count == 2, fractions[0] >= 0 else { return nil }
  }
}

extension PretrainingTask.Objective: ExpressibleByArgument {}
extension PretrainingTask.Generator: ExpressibleByArgument {}
extension PretrainingTask.Sharing: ExpressibleByArgument {}
extension PretrainingTask.Scheme: ExpressibleByArgument {}
