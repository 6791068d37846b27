import Layers

extension PretrainingConfiguration {
  /// The operations of the matrix products that a step makes for one token of full sequences: two for
  /// each multiplication with its addition, forward and backward.
  ///
  /// A weight that a token meets costs two operations forward, two for the gradient of its input and
  /// two for its own. Attention's products, Q K^T and P V, likewise have two backward for one forward.
  /// The vocabulary's product is made at masked positions only. Everything else that a step does is
  /// no product, and not counted.
  package var productsPerToken: Double {
    let masked = Double(recipe.maskedPerSequence) / Double(recipe.length)
    let (e, v) = (Double(model.embeddingSize), Double(model.vocabularySize))
    let (narrow, wide) = (
      Double(model.generator.hiddenSize), Double(model.discriminator.hiddenSize)
    )
    let generator = encoderProducts(model.generator) + masked * (narrow * e + e * v)
    let discriminator = encoderProducts(model.discriminator) + wide * wide
    return 6 * (generator + discriminator)
  }

  /// Those of the whole run.
  package var productOperations: Double {
    productsPerToken * Double(recipe.tokens)
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
  package var tokens: Int { steps * batchSize * length }

  /// The masked positions of a full sequence.
  package var maskedPerSequence: Int {
    Masking.count(length: length, fraction: maskFraction, maximumLength: length)
  }
}
