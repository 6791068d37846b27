import Electra
import Layers
import Testing

/// The training of the generator apart from the discriminator.
struct GeneratorTests {
  /// Shared embeddings belong to the discriminator, and with all weights shared only the head is
  /// the generator's.
  @Test(arguments: [
    (PretrainingTask.Sharing.embeddings, ["generator"]), (.none, ["generator"]),
    (.disentangled, ["generator"]), (.all, ["generator_predictions", "generator_lm_head"]),
  ])
  func theGeneratorsOwnParametersHaveItsRateAndClip(
    sharing: PretrainingTask.Sharing, prefixes: [String]
  ) {
    var objective = PretrainingTaskTests.objective(
      PretrainingTaskTests.task { $0.sharing = sharing })
    #expect(objective.clipGroups.isEmpty && objective.rateFactors.allSatisfy { $0 == 1 })
    (objective.generatorRate, objective.clipsNetworks) = (0.25, true)
    let factors = objective.rateFactors
    for (parameter, factor) in zip(objective.layout.parameters, factors) {
      let isOwn = prefixes.contains { parameter.name.hasPrefix($0) }
      #expect(factor == (isOwn ? 0.25 : 1), "\(parameter.name)")
      #expect(
        objective.clipGroups.contains { $0.contains(parameter.offset) } == isOwn,
        "\(parameter.name)")
    }
    #expect(Set(factors).count == 2)
  }
}
