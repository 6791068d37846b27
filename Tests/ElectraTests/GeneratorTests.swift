import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Tokenization

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

  /// T + (T0 - T) e^(-u / tau), also for the rest of a schedule in a branch.
  @Test
  func theTemperatureDeclinesToTheTasks() {
    var configuration = Preset.tiny.configuration(vocabularySize: 99)
    configuration.recipe.steps = 1000
    configuration.recipe.task.temperature = 0.5
    func temperature(_ step: Int) -> Float {
      let special = SpecialTokens(
        padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)
      return configuration.objective(model: configuration.makeModel(), special: special)
        .temperature(at: step)
    }
    #expect(temperature(0) == 0.5)
    configuration.recipe.temperatureStart = 2
    #expect(temperature(0) == 2 && abs(temperature(1000) - 0.5) < 1e-4)
    #expect(abs(temperature(100) - (0.5 + 1.5 * 0.367879)) < 1e-5)
    let whole = temperature(700)
    configuration.recipe.continueDecline(after: 600, of: 1000)
    configuration.recipe.steps = 600
    configuration.append(.init(recipe: configuration.recipe, data: nil))
    configuration.recipe.steps = 400
    #expect(abs(temperature(700) - whole) < 1e-6 && whole > 0.5)
    configuration.recipe.continueDecline(after: 400, of: 400)
    #expect(configuration.recipe.temperatureStart == nil && temperature(600) == 0.5)
  }

  /// The discriminator of two-stage training begins with the samples of the first temperature.
  @Test
  func theTemperatureDeclinesInTheSecondStage() {
    var configuration = Preset.tiny.configuration(vocabularySize: 99)
    configuration.recipe.steps = 1000
    (configuration.recipe.task.scheme, configuration.recipe.task.sharing) = (.twoStageFresh, .none)
    configuration.recipe.temperatureStart = 2
    let special = SpecialTokens(padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)
    let objective = configuration.objective(model: configuration.makeModel(), special: special)
    #expect([0, 499, 500].map { objective.temperature(at: $0) } == [2, 2, 2])
    #expect(abs(objective.temperature(at: 550) - 1.367879) < 1e-5)
  }

  /// The samples of a step are those of its temperature; an evaluation has the final one.
  @Test
  func samplesHaveTheTemperatureOfTheirStep() {
    func losses(_ decline: TemperatureDecline?, temperature: Float, step: Int) -> [Double] {
      var objective = PretrainingTaskTests.objective(
        PretrainingTaskTests.task { $0.temperature = temperature })
      objective.temperatureDecline = decline
      let batch = PretrainingObjectiveTests.batch(
        lengths: [20, 19, 18], vocabulary: 37, step: step)
      let weights = Weights(randomWeights(objective.layout, scale: 0.5))
      let arena = objective.makeWorkspace(sequences: 64)
      let trained = objective.accumulate(
        batch, totals: objective.counts(of: batch), weights: weights,
        gradient: Storage(count: objective.layout.count), workspace: arena,
        progress: ParameterProgress())
      let evaluated = objective.evaluate(batch, weights: weights, workspace: arena)
      return [trained, evaluated].map { objective.metrics(of: $0)[0].value }
    }
    let decline = TemperatureDecline(start: 50, decay: 0.001, steps: 5..<105)
    let (start, end) = (
      losses(nil, temperature: 50, step: 5), losses(nil, temperature: 0.3, step: 5)
    )
    let first = losses(decline, temperature: 0.3, step: 5)
    #expect(start[0] != end[0] && start[1] != end[1])
    #expect(first[0] == start[0] && first[1] == end[1])
    #expect(
      losses(decline, temperature: 0.3, step: 100) == losses(nil, temperature: 0.3, step: 100))
  }

  /// The second stage copies the encoder, and the embeddings or, where they are disentangled, their
  /// normalisation only: the differences are still zero.
  @Test(arguments: [PretrainingTask.Sharing.none, .disentangled])
  func theDiscriminatorOfTheSecondStageBeginsAsTheGenerator(
    sharing: PretrainingTask.Sharing
  ) throws {
    let objective = PretrainingTaskTests.objective(
      PretrainingTaskTests.task { ($0.scheme, $0.sharing) = (.twoStage, sharing) })
    let layout = objective.layout
    let vector = randomWeights(layout, scale: 0.3)
    for parameter in layout.parameters where parameter.isDifference { vector[parameter].fill(0) }
    // The second stage begins with step 7.
    #expect([6, 8].allSatisfy { objective.prepareWeights(before: $0) == nil })
    objective.prepareWeights(before: 7)?(vector)
    let weights = Weights(vector)
    defer { withExtendedLifetime(weights) {} }
    func expectEqual(_ tensor: Tensor, _ generators: String) throws {
      let source = try vector[#require(layout["generator." + generators])]
      #expect((0..<source.count).allSatisfy { tensor.base[$0] == source.base[$0] }, "\(generators)")
    }
    for table in objective.model.discriminator.embeddings.tables {
      try expectEqual(weights[table], table.parameter.nameOfSum)
    }
    for parameter in layout.parameters {
      if parameter.name.hasPrefix("embeddings.LayerNorm") {
        try expectEqual(vector[parameter], parameter.name)
      } else if parameter.name.hasPrefix("discriminator.encoder") {
        try expectEqual(
          vector[parameter], String(parameter.name.dropFirst("discriminator.".count)))
      }
    }
  }
}
