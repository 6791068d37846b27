import Layers

extension PretrainingConfiguration {
  /// The floating-point operations of the matrix products of a step per token, if sequences are
  /// full.
  ///
  /// A multiply-add counts as two operations. A weight costs two operations in the forward pass,
  /// two for the gradient of its input and two for its gradient. Attention's products, Q K^T and P
  /// V, also have two products in the backward pass for one in the forward pass. The product with
  /// the vocabulary is computed at masked positions only, except in All-Tokens MLM. The products of
  /// Muon are included, other operations are not.
  package var productsPerToken: Double {
    passProductsPerToken + orthogonalizationPerStep / Double(recipe.batchSize * recipe.length)
  }

  /// `productsPerToken` without the update: the products of forward and backward passes.
  package var passProductsPerToken: Double {
    let task = recipe.task
    let encoder = model.discriminator
    var products = encoderProducts(encoder)
    if task.objective.detects { products += Double(encoder.hiddenSize * encoder.hiddenSize) }
    if task.objective.predicts {
      products +=
        (task.objective.lossCoversAllTokens ? 1 : maskedShare) * vocabularyProducts(encoder)
    }
    let generator =
      task.hasGenerator
      ? encoderProducts(model.generator) + sampledShare * vocabularyProducts(model.generator) : 0
    let passes = task.scheme.passes
    return (2 * passes.generator.forward + 4 * passes.generator.backward) * generator
      + (2 * passes.encoder.forward + 4 * passes.encoder.backward) * products
  }

  /// The fraction of masked tokens in full sequences.
  private var maskedShare: Double { Double(recipe.maskedPerSequence) / Double(recipe.length) }

  /// The fraction of tokens with samples in full sequences.
  private var sampledShare: Double {
    guard recipe.task.objective.masksAndReplaces else { return maskedShare }
    let count = Masking.count(
      length: recipe.length, fraction: recipe.replacedShare, maximumLength: recipe.length)
    return Double(count) / Double(recipe.length)
  }

  /// The multiplications of a vocabulary head in the forward pass, per predicted token.
  private func vocabularyProducts(_ sizes: EncoderSizes) -> Double {
    Double(model.embeddingSize) * Double(sizes.hiddenSize + model.vocabularySize)
  }

  /// The operations of all matrix products of the current phase.
  package var productOperations: Double {
    productsPerToken * Double(recipe.tokens)
  }

  /// The multiplications of an encoder and its embedding projection in the forward pass, per token.
  private func encoderProducts(_ sizes: EncoderSizes) -> Double {
    let (d, f) = (Double(sizes.hiddenSize), Double(sizes.intermediateSize))
    let layer = 4 * d * d + 2 * d * f + 2 * d * Double(recipe.length)
    let e = Double(model.embeddingSize)
    return Double(sizes.layerCount) * layer + (e == d ? 0 : e * d)
  }
}

extension PretrainingConfiguration.Recipe {
  /// The number of tokens of the phase if all sequences are full.
  package var tokens: Int { fields.steps * fields.batchSize * fields.length }

  /// The fraction of tokens that get samples in the objective mlm-rtd.
  var replacedShare: Double { fields.replacedFraction ?? 0.08 }

  /// The number of masked positions of a full sequence.
  package var maskedPerSequence: Int {
    Masking.count(
      length: fields.length, fraction: fields.maskFraction, maximumLength: fields.length)
  }
}

extension PretrainingConfiguration {
  /// The number of steps with which this configuration costs about as much as `other`.
  ///
  /// `cost` is the measure, such as `productOperations`.
  package func steps(
    asCostlyAs other: PretrainingConfiguration, by cost: (PretrainingConfiguration) -> Double
  ) -> Int {
    Int((Double(recipe.steps) * cost(other) / cost(self)).rounded())
  }
}

extension PretrainingTask.Scheme {
  /// The forward and backward passes of a network per step, averaged over a run.
  struct Passes {
    let forward: Double
    let backward: Double
  }

  /// The passes of both networks.
  var passes: (generator: Passes, encoder: Passes) {
    switch self {
    case .joint: (Passes(forward: 1, backward: 1), Passes(forward: 1, backward: 1))
    // The generator is trained in the first half and only samples in the second.
    case .twoStage, .twoStageFresh:
      (Passes(forward: 1, backward: 0.5), Passes(forward: 0.5, backward: 0.5))
    // The generator samples, and runs again once its rewards are known.
    case .adversarial: (Passes(forward: 2, backward: 1), Passes(forward: 1, backward: 1))
    }
  }
}
