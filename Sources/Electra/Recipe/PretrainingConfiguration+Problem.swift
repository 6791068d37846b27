extension PretrainingConfiguration {
  /// The most sequences of a step.
  private static let largestBatch = 1 << 20

  /// The first invalid value, as a sentence; nil if the configuration is valid.
  package var problem: String? {
    numericProblem ?? recipe.optimizerProblem ?? exchangeProblem ?? recipe.task.problem(model)
  }

  /// The first invalid number, as a sentence that names its option; nil if there is none.
  ///
  /// It ignores the task, whose options may still change the sizes.
  package var numericProblem: String? {
    countProblem ?? sizeProblem ?? rateProblem ?? maskingProblem ?? rampProblem
  }

  /// What is wrong with the counts of the completed phases; nil if nothing is.
  ///
  /// Decoding checks it, because the steps of all phases are added up before anything else is known
  /// to be valid.
  var phaseProblem: String? {
    if earlierPhases.isEmpty { return nil }
    let earlier = earlierPhases.map(\.recipe)
    if earlier.contains(where: { $0.steps < 1 || $0.batchSize < 1 }) {
      return "a completed phase has no steps or no sequences"
    }
    let sequences = (earlier + [recipe]).reduce(0.0) {
      $0 + max(1, Double($1.batchSize).magnitude) * Double($1.steps).magnitude
    }
    return sequences > 1e18
      ? "the phases have \(sequences) sequences, above the limit of 1e18" : nil
  }

  /// The first invalid count of tokens, sequences or steps; nil if there is none.
  private var countProblem: String? {
    if let phaseProblem { return phaseProblem }
    for (option, value, least) in [
      ("--length", recipe.length, 1), ("--batch", recipe.batchSize, 1),
      ("--steps", recipe.steps, 1), ("--micro-batch", recipe.microBatchTokens, 1),
      ("--warmup", recipe.warmupSteps, 0),
    ] where value < least {
      return "\(option) \(value) is below \(least)"
    }
    if recipe.batchSize > Self.largestBatch {
      return "--batch \(recipe.batchSize) is above \(Self.largestBatch)"
    }
    let tokens = Double(recipe.length) * Double(recipe.batchSize) * Double(recipe.steps)
    return tokens > 1e18
      ? "--length, --batch and --steps give \(tokens) tokens, above the limit of 1e18" : nil
  }

  /// What is wrong with the sizes, or with the length for these sizes; nil if nothing is.
  private var sizeProblem: String? {
    for part in [ModelPart.generator, .discriminator] {
      if let problem = model[part].problem { return "the \(part.rawValue)'s \(problem)" }
    }
    return recipe.length > model.positionCount
      ? "--length \(recipe.length) is above the model's \(model.positionCount) positions" : nil
  }

  /// The first invalid rate, fraction or weight that every objective has; nil if there is none.
  private var rateProblem: String? {
    NumberRange.notNegative.problem("--learning-rate", recipe.learningRate)
      ?? NumberRange.belowHalf.problem("--mask-fraction", recipe.maskFraction)
      ?? NumberRange.notNegative.problem("--discriminator-weight", recipe.discriminatorWeight)
      ?? updateProblem
  }

  /// The first invalid number of the update, which has a key in a file and no option; nil if there
  /// is none.
  ///
  /// Without the constant in Adam's denominator, a parameter without a gradient becomes NaN. A norm
  /// of 0 to clip to would make every gradient zero.
  private var updateProblem: String? {
    NumberRange.belowOne.problem("adam_beta1", recipe.beta1)
      ?? NumberRange.belowOne.problem("adam_beta2", recipe.beta2)
      ?? NumberRange.positive.problem("adam_epsilon", recipe.epsilon)
      ?? NumberRange.positive.problem("clip_norm", recipe.clipNorm)
      ?? NumberRange.notNegative.problem("weight_decay_rate", recipe.weightDecay)
  }

  /// What is wrong with the choice of masked and replaced positions; nil if nothing is.
  private var maskingProblem: String? {
    if recipe.masksWholeWords && recipe.task.drawsWithReplacement {
      return "--whole-words excludes --mask-with-replacement"
    }
    guard let fraction = recipe.replacedFraction else { return nil }
    return recipe.task.objective.masksAndReplaces
      ? NumberRange.belowHalf.problem("--replace-fraction", fraction)
      : "--replace-fraction belongs to the objective mlm-rtd"
  }

  /// What is wrong with the rise of the discriminator's weight; nil if nothing is.
  private var rampProblem: String? {
    guard let ramp = recipe.discriminatorRamp else { return nil }
    // In a branch, a ramp may have begun before the current phase, by steps that can be counted.
    let first = earlierPhases.isEmpty ? 0 : -1e18 / Double(max(1, recipe.steps))
    guard ramp.count == 2, first <= ramp[0], ramp[0] <= ramp[1], ramp[1] <= 1 else {
      return "--discriminator-ramp is not two rising fractions from 0 to 1"
    }
    if !recipe.task.objective.hasDetectionLoss {
      return "the objective \(recipe.task.objective.rawValue) has no loss of replaced token "
        + "detection whose weight could rise; omit --discriminator-ramp"
    }
    // For mlm-rtd the task's problem names the option that was given.
    if recipe.task.scheme.hasStages && !recipe.task.objective.masksAndReplaces {
      return "--training \(recipe.task.scheme.rawValue) excludes --discriminator-ramp, because "
        + "only the second half of the steps trains the discriminator"
    }
    return nil
  }
}
