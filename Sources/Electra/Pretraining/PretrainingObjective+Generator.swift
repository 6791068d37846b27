import Layers

// The training of the generator apart from the discriminator. Its own parameters are those of its
// encoder, its head, its embeddings if it has any, and its baseline; with all weights shared, its
// head. Shared embeddings belong to the discriminator.

extension PretrainingObjective {
  /// The factor of the learning rate for each parameter.
  package var rateFactors: [Float] {
    let generator = model.generatorOnlyRange
    return layout.parameters.map { generator.contains($0.offset) ? generatorRate : 1 }
  }

  /// The generator's own parameters, if the networks are clipped apart.
  package var clipGroups: [Range<Int>] { clipsNetworks ? [model.generatorOnlyRange] : [] }
}
