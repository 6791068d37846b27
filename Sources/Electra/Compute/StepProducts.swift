import Layers

extension PretrainingConfiguration {
  /// The operations of the matrix products that a step makes for one token of full sequences: two for
  /// each multiplication with its addition, forward and backward.
  ///
  /// A weight that a token meets costs two operations forward, two for the gradient of its input and
  /// two for its own. Attention's products, Q K^T and P V, likewise have two backward for one forward.
  /// The vocabulary's product is made at masked positions only, but for All-Tokens MLM. Everything else that a step does is
  /// no product, and not counted.
  package var productsPerToken: Double {
    let task = recipe.task
    let wide = model.discriminator
    var products = encoderProducts(wide)
    if task.objective.detects { products += Double(wide.hiddenSize * wide.hiddenSize) }
    if task.objective.predicts {
      products += (task.objective.judgesAllTokens ? 1 : maskedShare) * vocabularyProducts(wide)
    }
    let generator =
      task.hasGenerator
      ? encoderProducts(model.generator) + maskedShare * vocabularyProducts(model.generator) : 0
    let passes = task.scheme.passes
    return (2 * passes.generator.forward + 4 * passes.generator.backward) * generator
      + (2 * passes.encoder.forward + 4 * passes.encoder.backward) * products
  }

  /// The share of tokens that is masked in full sequences.
  private var maskedShare: Double { Double(recipe.maskedPerSequence) / Double(recipe.length) }

  /// Multiplications of a head over the vocabulary on an encoder, forward, for one token.
  private func vocabularyProducts(_ sizes: EncoderSizes) -> Double {
    Double(model.embeddingSize) * Double(sizes.hiddenSize + model.vocabularySize)
  }

  /// Those of the present phase.
  package var productOperations: Double {
    productsPerToken * Double(recipe.tokens)
  }

  /// Those of all phases.
  package var productOperationsOfRun: Double {
    earlierPhases.reduce(productOperations) { sum, phase in
      var earlier = self
      earlier.recipe = phase.recipe
      return sum + earlier.productOperations
    }
  }

  /// Multiplications of an encoder and of what leads into it, forward, for one token.
  private func encoderProducts(_ sizes: EncoderSizes) -> Double {
    let (d, f) = (Double(sizes.hiddenSize), Double(sizes.intermediateSize))
    let layer = 4 * d * d + 2 * d * f + 2 * d * Double(recipe.length)
    let e = Double(model.embeddingSize)
    return Double(sizes.layerCount) * layer + (e == d ? 0 : e * d)
  }
}

extension PretrainingConfiguration.Recipe {
  /// The tokens of the whole run if all sequences are full.
  package var tokens: Int { fields.steps * fields.batchSize * fields.length }

  /// The masked positions of a full sequence.
  package var maskedPerSequence: Int {
    Masking.count(
      length: fields.length, fraction: fields.maskFraction, maximumLength: fields.length)
  }
}

extension PretrainingConfiguration {
  /// The steps of this configuration that cost about as much as all of `other`'s.
  ///
  /// - Parameter cost: what a run costs, such as `productOperations`.
  package func steps(
    asCostlyAs other: PretrainingConfiguration, by cost: (PretrainingConfiguration) -> Double
  ) -> Int {
    Int((Double(recipe.steps) * cost(other) / cost(self)).rounded())
  }
}

extension PretrainingTask.Scheme {
  /// The forward and backward passes of a network in a step, on average over a run.
  struct Passes {
    let forward: Double
    let backward: Double
  }

  var passes: (generator: Passes, encoder: Passes) {
    switch self {
    case .joint: (Passes(forward: 1, backward: 1), Passes(forward: 1, backward: 1))
    // The generator is trained in one half, and only samples in the other.
    case .twoStage, .twoStageFresh:
      (Passes(forward: 1, backward: 0.5), Passes(forward: 0.5, backward: 0.5))
    // It samples, and runs again when its rewards are known.
    case .adversarial: (Passes(forward: 2, backward: 1), Passes(forward: 1, backward: 1))
    }
  }
}
