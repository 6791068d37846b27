import Electra
import Layers
import Testing

/// Operation counts of runs, against published numbers and against the tensors of the model.
struct ComputeTests {
  private func isNear(_ value: Double, _ expected: Double) -> Bool {
    abs(value / expected - 1) < 5e-4  // four digits
  }

  /// Against the output of the reference's script.
  @Test(arguments: [
    (Preset.small, 1_000_000, 1.294e18), (.base, 766_000, 6.425e19), (.large, 400_000, 7.118e20),
    (.large, 1_750_000, 3.114e21), (.small, 1, 1.294e12), (.base, 1, 8.387e13),
    (.large, 1, 1.779e15),
  ])
  func countsAreTheReferenceScripts(preset: Preset, steps: Int, expected: Double) {
    var configuration = preset.configuration(vocabularySize: 30_522)
    configuration.recipe.steps = steps
    #expect(isNear(configuration.referenceOperations, expected))
  }

  @Test(arguments: [
    (ReferenceBERT.small, 1.419e18), (.base, 6.428e19), (.large, 1.917e20),
  ])
  func countsOfBERTAreTheReferenceScripts(bert: ReferenceBERT, expected: Double) {
    #expect(isNear(bert.operations, expected))
  }

  /// BERT-Small, the paper's baseline, is the small preset with the objective mlm.
  @Test
  func maskedLanguageModellingCostsWhatBERTDoes() {
    var configuration = Preset.small.configuration(vocabularySize: 30_522)
    configuration.recipe.task.objective = .mlm
    configuration.recipe.steps = 1_450_000
    #expect(isNear(configuration.referenceOperations, ReferenceBERT.small.operations))
  }

  @Test
  func equalCostIsEqual() {
    let electra = Preset.base.configuration(vocabularySize: 30_522)
    var other = electra
    other.recipe.task.objective = .mlm
    for cost in [\PretrainingConfiguration.productOperations, \.referenceOperations] {
      var equal = other
      equal.recipe.steps = other.steps(asCostlyAs: electra) { $0[keyPath: cost] }
      #expect(equal.recipe.steps > electra.recipe.steps)
      #expect(abs(equal[keyPath: cost] / electra[keyPath: cost] - 1) < 1e-5)
    }
  }

  /// Per iteration, a matrix (m, n) with m <= n has products of 2 m m n, 2 m m m and 2 m m n.
  @Test
  func theProductsOfMuonAreCounted() {
    var configuration = Preset.tiny.configuration(vocabularySize: 30_522)
    let adam = configuration.productOperations
    #expect(configuration.orthogonalizationPerStep == 0)
    configuration.recipe.use(.muon)
    func layer(_ d: Double) -> Double { 5 * d * d * d * (4 * 6 + 2 * (4 * 4 + 2)) }
    let expected = 3 * layer(128) + layer(64)
    #expect(configuration.orthogonalizationPerStep == expected)
    let ratio = (configuration.productOperations - adam) / (expected * 5000)
    #expect(abs(ratio - 1) < 1e-9)
    // Each network is updated in half of the steps.
    configuration.recipe.task.scheme = .twoStageFresh
    #expect(configuration.orthogonalizationPerStep == expected / 2)
    configuration.recipe.use(.adam)
    #expect(configuration.recipe.optimizer == nil && configuration.recipe.muonFactor == nil)
  }

  /// Six operations per token for each entry of each weight matrix of the model, and six for each
  /// multiplication of attention's two products.
  @Test(arguments: Preset.allCases, PretrainingTask.Objective.allCases)
  func productsAreThoseOfTheModelsTensors(preset: Preset, objective: PretrainingTask.Objective)
    throws
  {
    var configuration = preset.configuration(vocabularySize: 1000)
    configuration.recipe.task.objective = objective
    let model = configuration.makeModel()
    let recipe = configuration.recipe
    var products = 0.0
    for parameter in model.layout.parameters where parameter.shape.count == 2 {
      let name = parameter.name
      let count = Double(parameter.count)
      let share = Double(recipe.maskedPerSequence) / Double(recipe.length)
      // In mlm-rtd the generator predicts the replaced positions, 8 % of a full sequence.
      let sampled = (0.08 * Double(recipe.length)).rounded(.toNearestOrEven)
      let generatorShare =
        objective == .mlmRTD ? sampled / Double(recipe.length) : model.generator == nil ? 0 : share
      let encoderShare = objective == .allTokensMLM ? 1 : share
      if name.contains("word_embeddings") {
        products +=
          6 * count * (generatorShare + (objective.predicts ? encoderShare : 0))
      } else if name.contains("mlm_predictions") {
        products += 6 * count * encoderShare
      } else if name.hasPrefix("generator_") {
        products += 6 * count * generatorShare
      } else if !name.hasPrefix("embeddings") && !name.contains("dense_prediction") {
        products += 6 * count
      }
    }
    for network in [model.generator?.network, model.discriminator].compactMap(\.self) {
      let sizes = network.encoder.sizes
      products += 12 * Double(sizes.layerCount * sizes.hiddenSize * recipe.length)
    }
    #expect(abs(configuration.productsPerToken / products - 1) < 1e-12)
  }
}
