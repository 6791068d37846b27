import Electra
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

/// Every variant of the paper, on models of odd sizes.
struct PretrainingTaskTests {
  static func task(_ change: (inout PretrainingTask) -> Void) -> PretrainingTask {
    var task = PretrainingTask()
    change(&task)
    return task
  }

  static func disentangled(_ change: (inout PretrainingTask) -> Void) -> PretrainingTask {
    task {
      $0.sharing = .disentangled
      change(&$0)
    }
  }

  /// One task of each kind, by name.
  static let variants: [(name: String, task: PretrainingTask)] =
    PretrainingTask.Objective.allCases.map { objective in
      (objective.rawValue, task { $0.objective = objective })
    } + [
      ("unigram", task { $0.generator = .unigram }),
      ("mlm-rtd, unigram", task { ($0.objective, $0.generator) = (.mlmRTD, .unigram) }),
      ("uniform, all tokens", task { ($0.generator, $0.objective) = (.uniform, .allTokensMLM) }),
      ("nothing shared", task { $0.sharing = .none }),
      ("disentangled", task { $0.sharing = .disentangled }),
      ("disentangled, all tokens", disentangled { $0.objective = .allTokensMLM }),
      ("disentangled, mlm-rtd", disentangled { $0.objective = .mlmRTD }),
      ("disentangled, two stages", disentangled { $0.scheme = .twoStage }),
      ("disentangled, adversarial", disentangled { $0.scheme = .adversarial }),
      ("all shared", task { $0.sharing = .all }),
      ("all shared, all tokens", task { ($0.sharing, $0.objective) = (.all, .allTokensMLM) }),
      (
        "sampling",
        task { ($0.temperature, $0.disallowsCorrect, $0.drawsWithReplacement) = (1.7, true, true) }
      ),
      ("Gumbel-max", task { $0.sampling = .gumbel }),
      ("drawn twice", task { ($0.objective, $0.drawsWithReplacement) = (.electra15, true) }),
      ("two stages", task { ($0.scheme, $0.sharing) = (.twoStage, .none) }),
      ("adversarial", task { $0.scheme = .adversarial }),
      ("adversarial 15", task { ($0.scheme, $0.objective) = (.adversarial, .electra15) }),
    ]

  static func objective(_ task: PretrainingTask, microBatch: Int = 1000) -> PretrainingObjective {
    let isWhole = task.sharing == .all || task.scheme == .twoStage
    var objective = PretrainingObjectiveTests.objective(
      (10, 14, isWhole ? 14 : 6), vocabulary: 37,
      microBatch: microBatch, task: task)
    if task.generator != .transformer {
      objective.sampler = TokenSampler(counts: (0..<37).map { $0 < 5 ? 0 : $0 })
    }
    if task.scheme.hasStages { objective.secondStage = 7 }
    return objective
  }

  /// For tasks whose whole gradient is that of the logged loss.
  @Test(
    arguments: variants.filter { $0.task.scheme != .adversarial && !$0.task.isDisentangled }
      .map(\.name))
  func theWholeGradientAgreesWithDifferences(name: String) throws {
    let task = try #require(Self.variants.first { $0.name == name }).task
    let objective = Self.objective(task)
    // Step 5 is in the first of two stages.
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 9, 13], vocabulary: 37)
    PretrainingObjectiveTests.expectTheGradientIsRight(objective, batch)
  }

  /// Masked positions are predicted from [MASK], replaced ones judged by their samples, and no
  /// position is both.
  @Test
  func bothLossesOfOnePassCoverDisjointTokens() throws {
    let objective = Self.objective(
      Self.task { ($0.objective, $0.generator) = (.mlmRTD, .unigram) })
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 19, 18], vocabulary: 37)
    let weights = randomWeights(objective.layout, scale: 0.3)
    let tally = objective.evaluate(
      batch, weights: Weights(weights), workspace: objective.makeWorkspace(sequences: 64))
    let values = Dictionary(
      uniqueKeysWithValues: objective.metrics(of: tally).map { ($0.name, $0.value) })
    let counts = objective.counts(of: batch)
    #expect(counts == [9, 57, 6])
    #expect(tally.positiveScores.count + tally.negativeScores.count == counts[1] - counts[0])
    #expect(tally.positiveScores.count <= counts[2] && tally.positiveScores.count > 0)
    let loss = try #require(values[.mlmLoss]) + 10 * #require(values[.discriminatorLoss])
    #expect(abs(try #require(values[.loss]) - loss) < 1e-9)
  }

  /// Half-way through the ramp the gradient of the head that detects is half of the full one.
  @Test(arguments: [(5, 0), (8, 0.5), (11, 1), (20, 1)] as [(Int, Float)])
  func theDiscriminatorsWeightRises(step: Int, share: Float) throws {
    let gradients = [5..<11, nil].map { ramp in
      var objective = Self.objective(
        Self.task { ($0.objective, $0.generator) = (.mlmRTD, .unigram) })
      objective.discriminatorRamp = ramp
      let batch = PretrainingObjectiveTests.batch(
        lengths: [20, 19], vocabulary: 37, step: step)
      let gradient = Storage(count: objective.layout.count)
      _ = objective.accumulate(
        batch, totals: objective.counts(of: batch),
        weights: Weights(randomWeights(objective.layout, scale: 0.3)), gradient: gradient,
        workspace: objective.makeWorkspace(sequences: 64), progress: ParameterProgress())
      let parameter = objective.layout["discriminator_predictions.dense_prediction.weight"]
      return parameter.map { gradient[$0].base[3] } ?? .nan
    }
    #expect(abs(gradients[0] - share * gradients[1]) <= 1e-6 * abs(gradients[1]))
    #expect(gradients[1] != 0)
  }

  @Test(arguments: variants.map(\.name), [5, 8])
  func rangesAreFinishedOnceAndAskedForAtAll(name: String, step: Int) throws {
    let objective = Self.objective(
      try #require(Self.variants.first { $0.name == name }).task, microBatch: 8)
    let batch = PretrainingObjectiveTests.batch(lengths: [7, 9, 5], vocabulary: 37, step: step)
    let weights = randomWeights(objective.layout, scale: 0.1)
    var (finished, needed): ([Range<Int>], Set<Int>) = ([], [])
    _ = objective.accumulate(
      batch, totals: objective.counts(of: batch), weights: Weights(weights),
      gradient: Storage(count: objective.layout.count),
      workspace: objective.makeWorkspace(sequences: 64),
      progress: ParameterProgress(
        willRead: { needed.formUnion($0) }, didFinish: { finished.append($0) }))
    let sorted = finished.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    #expect(sorted.first?.lowerBound == 0 && sorted.last?.upperBound == objective.layout.count)
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(needed == Set(0..<objective.layout.count))
    #expect(
      Set(objective.gradientOrder.flatMap { Array($0) }) == Set(0..<objective.layout.count))
  }

  /// Frozen parts have zero gradients, and trained parts have not.
  @Test(arguments: [(5, ["generator"]), (8, ["embeddings.", "discriminator"])])
  func eachStageTrainsItsOwn(step: Int, trained: [String]) {
    let objective = Self.objective(Self.task { ($0.scheme, $0.sharing) = (.twoStage, .none) })
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 19], vocabulary: 37, step: step)
    let gradient = Storage(count: objective.layout.count)
    _ = objective.accumulate(
      batch, totals: objective.counts(of: batch),
      weights: Weights(randomWeights(objective.layout, scale: 0.3)), gradient: gradient,
      workspace: objective.makeWorkspace(sequences: 64), progress: ParameterProgress())
    let frozen = objective.frozen(at: step)
    for parameter in objective.layout.parameters {
      let isTrained = trained.contains { parameter.name.hasPrefix($0) }
      let values = gradient[parameter]
      let square = sumOfSquares(values.base, count: values.count)
      #expect((square > 0) == isTrained, "\(parameter.name)")
      #expect(frozen.contains { $0.contains(parameter.offset) } != isTrained, "\(parameter.name)")
    }
  }

  private func crossEntropy(_ p: Double, target: Double) -> Double {
    -target * naturalLogarithm(p) - (1 - target) * naturalLogarithm(1 - p)
  }

  /// The policy gradient against differences of the samples' losses with fixed advantages, and the
  /// baseline's gradient against differences of its cross-entropy.
  ///
  /// The baseline's gradient does not flow into the encoder.
  @Test
  func thePolicyGradientAgreesWithDifferences() throws {
    let objective = Self.objective(Self.task { $0.scheme = .adversarial })
    let (model, layout) = (objective.model, objective.layout)
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 15, 20], vocabulary: 37)
    let masked = objective.masking.mask(batch)
    let samples = masked.positions.indices.map { Int32(5 + $0 * 7 % 30) }
    let rewards = samples.indices.map { 0.2 + Double($0 % 3) }
    let arena = objective.makeWorkspace(sequences: 64)
    let generator = try #require(model.generator)
    func run(_ weights: Storage, _ gradient: Storage?) -> MicroBatchPass {
      arena.release(to: 0)
      let pass = PassContext(
        batch: batch, weights: Weights(weights), gradient: gradient, seed: 8)
      return MicroBatchPass(model, batch, masked, pass: pass, arena: arena)
    }
    func accumulate(_ weights: Storage, _ gradient: Storage) -> PolicyGradientOutcome {
      run(weights, gradient).accumulatePolicyGradient(samples, rewards: rewards, weight: 1)
    }
    let (weights, scratch) = (randomWeights(layout, scale: 0.4), Storage(count: layout.count))
    let fixed = accumulate(weights, scratch).weights
    let policy = compareGradients(of: layout, weights: weights, step: 5e-4) { weights, gradient in
      if let gradient { _ = accumulate(weights, gradient) }
      let pass = PassContext(
        batch: batch, weights: Weights(weights), gradient: nil, seed: 8)
      let outcomes = run(weights, nil).predict(
        masked.tokens, generator, pass,
        PredictionTargets(positions: masked.positions, tokens: samples), weights: nil)
      return zip(outcomes, fixed).reduce(0) { $0 + Double($1.0.loss) * Double($1.1) }
    }
    let baseline = compareGradients(of: layout, weights: weights, step: 5e-4) { weights, gradient in
      let baselines = accumulate(weights, gradient ?? scratch).baselines
      return zip(baselines, rewards).reduce(0) { sum, pair in
        sum + crossEntropy(naturalExponential(-pair.0), target: naturalExponential(-pair.1))
      }
    }
    for (baselineResult, policyResult) in zip(baseline, policy) {
      let isBaseline = baselineResult.parameter.hasPrefix("generator_baseline")
      let result = isBaseline ? baselineResult : policyResult
      #expect(result.error < 1e-2, "\(result)")
      #expect((result.norm == 0) == result.parameter.hasPrefix("discriminator"), "\(result)")
    }
  }

  @Test
  func rewardsAreTheDiscriminatorsLosses() {
    let objective = Self.objective(Self.task { $0.scheme = .adversarial })
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 20], vocabulary: 37)
    let masked = objective.masking.mask(batch)
    let pass = PassContext(
      batch: batch, weights: Weights(randomWeights(objective.layout, scale: 0.4)), gradient: nil,
      seed: nil)
    let microBatch = MicroBatchPass(
      objective.model, batch, masked, pass: pass, arena: objective.makeWorkspace(sequences: 64))
    let tokens = microBatch.corrupted(
      masked.targets.enumerated().map { $0 % 2 == 0 ? $1 : 5 + $1 % 30 })
    let outcome = microBatch.discriminate(tokens, weight: nil)
    for (k, reward) in microBatch.rewards(outcome, tokens).enumerated() {
      let t = Int(masked.positions[k])
      let z = Double(outcome.logits[t])
      let replaced = 1 / (1 + naturalExponential(-z))
      let chance = tokens[t] != batch.tokens[t] ? replaced : 1 - replaced
      #expect(abs(reward + naturalLogarithm(chance)) < 1e-9)
    }
  }

  /// Exported names are unique in each part, and include embeddings and layers.
  @Test(arguments: variants.map(\.name))
  func exportedNamesAreThoseOfOneNetwork(name: String) throws {
    let task = try #require(Self.variants.first { $0.name == name }).task
    let model = Self.objective(task).model
    for part in ModelPart.allCases {
      let names = model.layout.parameters.compactMap { task.huggingFaceName($0.name, of: part) }
      #expect(Set(names).count == names.count, "\(part)")
      guard let architecture = task.architecture(of: part) else { continue }
      let head =
        architecture == "ElectraForMaskedLM"
        ? "generator_lm_head.bias" : "discriminator_predictions.dense.weight"
      for wanted in [
        head, "electra.embeddings.word_embeddings.weight",
        "electra.encoder.layer.0.attention.self.query.weight",
      ] { #expect(names.contains(wanted), "\(part) lacks \(wanted)") }
      let heads = names.filter { !$0.hasPrefix("electra.") }
      #expect(heads.allSatisfy { $0.hasPrefix(String(head.prefix(9))) })
    }
  }

  @Test
  func configurationsOfEveryTaskAreReadAsWritten() throws {
    var configuration = Preset.tiny.configuration(vocabularySize: 99)
    for (_, task) in Self.variants {
      configuration.recipe.task = task
      let again = try JSONDecoder().decode(
        PretrainingConfiguration.self, from: JSONEncoder().encode(configuration))
      #expect(again == configuration)
    }
  }

  @Test(arguments: [(Preset.small, 0.25), (.base, 1.0 / 3), (.large, 0.25), (.smallPlusPlus, 1)])
  func fractionsGiveThePapersGenerators(preset: Preset, width: Double) {
    let sizes = preset.configuration(vocabularySize: 99).model
    #expect(sizes.discriminator.scaled(width: width, depth: 1) == sizes.generator)
  }
}
