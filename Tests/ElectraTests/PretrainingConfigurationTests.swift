import Electra
import Foundation
import Layers
import Tensors
import Testing
import Tokenization

struct PretrainingConfigurationTests {
  private let tiny = Preset.tiny.configuration(vocabularySize: 99)

  private func problem(_ change: (inout PretrainingConfiguration) -> Void) -> String {
    var configuration = tiny
    change(&configuration)
    return configuration.problem ?? "none"
  }

  @Test
  func numbersThatCannotBeAreNamed() {
    #expect(problem { _ in } == "none")
    #expect(problem { $0.recipe.length = 0 } == "--length 0 is below 1")
    #expect(problem { $0.recipe.length = 513 }.contains("above the model's 512 positions"))
    #expect(problem { $0.recipe.batchSize = 1 << 21 }.contains("is above 1048576"))
    #expect(problem { $0.recipe.warmupSteps = -1 } == "--warmup -1 is below 0")
    #expect(problem { $0.recipe.learningRate = .nan }.contains("--learning-rate nan is not a"))
    #expect(problem { $0.recipe.maskFraction = 0.5 }.contains("--mask-fraction 0.5 is not between"))
    #expect(
      problem { $0.recipe.discriminatorWeight = .infinity }
        == "--discriminator-weight inf is not a finite number of at least 0")
    #expect(problem { $0.recipe.steps = .max }.contains("tokens, above the limit of 1e18"))
    #expect(problem { $0.model.generator.headCount = 3 }.hasPrefix("the generator's 3 attention"))
    // Their bytes with moments are more than an integer holds.
    let most = 1 << 24
    #expect(
      problem {
        $0.model.discriminator = EncoderSizes(
          hiddenSize: most, layerCount: 1000, headCount: 1, intermediateSize: most)
      }.contains("weights, above the limit of"))
    #expect(
      problem {
        $0.recipe.masksWholeWords = true
        $0.recipe.task.drawsWithReplacement = true
      }.contains("--whole-words excludes --mask-with-replacement"))
  }

  /// Numbers without an option, which a file of `--config` sets.
  @Test
  func numbersOfTheUpdateAreNamedByTheirKeys() {
    #expect(problem { $0.recipe.beta1 = 1 } == "adam_beta1 1.0 is not at least 0 and below 1")
    #expect(problem { $0.recipe.beta2 = -0.5 } == "adam_beta2 -0.5 is not at least 0 and below 1")
    #expect(
      problem { $0.recipe.epsilon = 0 } == "adam_epsilon 0.0 is not a finite number above 0")
    #expect(problem { $0.recipe.clipNorm = 0 } == "clip_norm 0.0 is not a finite number above 0")
    #expect(
      problem { $0.recipe.weightDecay = -1 }
        == "weight_decay_rate -1.0 is not a finite number of at least 0")
    #expect(
      problem { $0.model.discriminator.epsilon = 0 }
        == "the discriminator's layer_norm_eps is 0.0; it must be above 0")
    #expect(problem { ($0.recipe.beta1, $0.recipe.weightDecay) = (0, 0) } == "none")
  }

  /// Options that have no effect, or conflict, in combination with another.
  @Test
  func choicesThatExcludeEachOtherAreNamed() {
    typealias Task = PretrainingTask
    let cases: [(change: (inout Task) -> Void, says: String)] = [
      (
        { ($0.objective, $0.sharing) = (.mlm, .none) }, "has no generator, so --weight-sharing none"
      ),
      ({ ($0.objective, $0.generator) = (.mlm, .unigram) }, "reads no samples"),
      ({ ($0.generator, $0.temperature) = (.unigram, 2) }, "so --temperature 2.0 has no effect"),
      ({ $0.temperature = 0 }, "--temperature 0.0 is not a finite number above 0"),
      ({ $0.sharing = .all }, "of equal size"),
      ({ ($0.scheme, $0.sharing) = (.twoStage, .none) }, "or use two-stage-fresh"),
      ({ $0.scheme = .twoStageFresh }, "needs --weight-sharing none"),
      ({ ($0.scheme, $0.objective) = (.adversarial, .replaceMLM) }, "needs a discriminator"),
      ({ ($0.scheme, $0.disallowsCorrect) = (.adversarial, true) }, "excludes --temperature"),
    ]
    for (change, says) in cases {
      let sentence = problem { change(&$0.recipe.task) }
      #expect(sentence.contains(says), "\(sentence)")
    }
    #expect(
      problem { ($0.recipe.task.scheme, $0.recipe.task.sharing) = (.joint, .none) } == "none")
  }

  /// The settings of mlm-rtd, and the ramp of the discriminator's weight.
  @Test
  func settingsOfSomeObjectivesAreChecked() {
    typealias Recipe = PretrainingConfiguration.Recipe
    let cases: [(change: (inout Recipe) -> Void, says: String)] = [
      ({ $0.replacedFraction = 0.1 }, "belongs to the objective mlm-rtd"),
      (
        { ($0.task.objective, $0.replacedFraction) = (.mlmRTD, 0.5) },
        "--replace-fraction 0.5 is not between 0 and 0.5"
      ),
      ({ $0.discriminatorRamp = [0.4, 0.1] }, "not two rising fractions from 0 to 1"),
      ({ $0.discriminatorRamp = [0.4, 1.5] }, "not two rising fractions from 0 to 1"),
      ({ $0.discriminatorRamp = [0.4] }, "not two rising fractions from 0 to 1"),
      ({ $0.discriminatorRamp = [.nan, 1] }, "not two rising fractions from 0 to 1"),
      (
        { ($0.task.objective, $0.discriminatorRamp) = (.mlm, [0, 0.5]) },
        "mlm has no loss of replaced token detection"
      ),
      (
        { ($0.task.objective, $0.discriminatorRamp) = (.allTokensMLM, [0, 0.5]) },
        "all-tokens-mlm has no loss of replaced token detection"
      ),
      (
        { ($0.task.objective, $0.task.drawsWithReplacement) = (.mlmRTD, true) },
        "masked and replaced positions are disjoint"
      ),
      ({ ($0.task.objective, $0.task.scheme) = (.mlmRTD, .twoStage) }, "has joint training only"),
      (
        { ($0.task.objective, $0.task.scheme) = (.mlmRTD, .adversarial) },
        "has joint training only"
      ),
      (
        { ($0.task.scheme, $0.discriminatorRamp) = (.twoStageFresh, [0.5, 1]) },
        "two-stage-fresh excludes --discriminator-ramp"
      ),
    ]
    for (change, says) in cases {
      let sentence = problem { change(&$0.recipe) }
      #expect(sentence.contains(says), "\(sentence)")
    }
    #expect(
      problem { ($0.recipe.task.objective, $0.recipe.discriminatorRamp) = (.mlmRTD, [0, 1]) }
        == "none")
    // The ramp of a branch may have begun before.
    var branch = tiny
    branch.recipe.steps = 20
    branch.append(.init(recipe: branch.recipe, data: nil))
    branch.recipe.discriminatorRamp = [-0.5, 0.25]
    #expect(branch.problem == nil && branch.rampSteps == 10..<25)
    #expect(problem { $0.recipe.discriminatorRamp = [-0.5, 0.25] }.contains("two rising"))
  }

  /// A branch before the last of two million steps is valid; steps that cannot be counted are not.
  @Test
  func aRampBeginsWithinTheStepsThatCanBeCounted() {
    var branch = tiny
    branch.recipe.steps = 1_999_999
    branch.append(.init(recipe: branch.recipe, data: nil))
    (branch.recipe.steps, branch.recipe.discriminatorRamp) = (1, [-1_999_999, 1])
    #expect(branch.problem == nil && branch.rampSteps == 0..<2_000_000)
    (branch.recipe.steps, branch.recipe.discriminatorRamp) = (1 << 46, [-1e6, 1])
    #expect(branch.problem?.contains("two rising") == true)
  }

  /// Another objective has its usual weight and nothing that only the former one uses.
  @Test
  func anotherObjectiveIsValidWithoutFurtherChanges() {
    for from in PretrainingTask.Objective.allCases {
      var before = tiny
      before.recipe.change(to: from)
      if from.masksAndReplaces { before.recipe.replacedFraction = 0.1 }
      if from.hasDetectionLoss { before.recipe.discriminatorRamp = [0, 0.5] }
      if before.recipe.task.hasGenerator {
        (before.recipe.task.temperature, before.recipe.task.sharing) = (0.7, .none)
      }
      for to in PretrainingTask.Objective.allCases {
        var after = before
        after.recipe.change(to: to)
        #expect(after.problem == nil, "\(from) to \(to): \(after.problem ?? "")")
        #expect(from == to ? after == before : after.recipe.discriminatorWeight == to.defaultWeight)
      }
    }
    for to in PretrainingTask.Objective.allCases {
      var after = tiny
      after.recipe.task.scheme = .adversarial
      after.recipe.change(to: to)
      #expect(after.problem == nil, "adversarial to \(to): \(after.problem ?? "")")
    }
    var both = tiny
    both.recipe.task.drawsWithReplacement = true
    both.recipe.change(to: .mlmRTD)
    #expect(both.recipe.task.generator == .unigram && both.problem == nil)
    both.recipe.change(to: .electra)
    #expect(both == tiny)
  }

  /// A phase on the same data continues where the previous one ended; other data starts at 0.
  @Test
  func phasesCountStepsAndSamplesOfTheirData() {
    var configuration = tiny
    configuration.data = "a"
    (configuration.recipe.steps, configuration.recipe.batchSize) = (10, 4)
    #expect((configuration.firstStep, configuration.steps, configuration.firstSample) == (0, 10, 0))
    var next = configuration.recipe
    (next.steps, next.batchSize) = (5, 2)
    configuration.append(.init(recipe: next, data: "b"))
    #expect(
      (configuration.firstStep, configuration.steps, configuration.firstSample) == (10, 15, 0))
    configuration.append(.init(recipe: next, data: "a"))
    #expect(
      (configuration.firstStep, configuration.steps, configuration.firstSample) == (15, 20, 40))
    configuration.append(.init(recipe: next, data: "a"))
    #expect(configuration.firstSample == 50 && configuration.earlierPhases.count == 3)
  }

  /// The steps of phases are added up, so a file cannot hold phases whose sum overflows.
  @Test(arguments: [Int.max, 0, -1])
  func phasesThatCannotBeCountedAreRefused(steps: Int) throws {
    var configuration = tiny
    configuration.append(.init(recipe: configuration.recipe, data: nil))
    func read(_ data: Data) throws -> PretrainingConfiguration {
      try JSONDecoder().decode(PretrainingConfiguration.self, from: data)
    }
    #expect(try read(JSONEncoder().encode(configuration)) == configuration)
    configuration.earlierPhases[0].recipe.steps = steps
    let data = try JSONEncoder().encode(configuration)
    #expect(throws: DecodingError.self) { try read(data) }
    #expect(configuration.problem?.contains("phase") == true)
  }

  /// A next phase keeps the arithmetic, which is written beside every checkpoint.
  @Test
  func theArithmeticIsThatOfTheRunInAllPhases() throws {
    var configuration = tiny
    configuration.arithmetic = .bfloat16
    configuration.append(.init(recipe: configuration.recipe, data: "b"))
    let data = try JSONEncoder().encode(configuration)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["arithmetic"] as? String == "bfloat16")
    let read = try JSONDecoder().decode(PretrainingConfiguration.self, from: data)
    #expect(read == configuration && read.arithmetic == .bfloat16)
    let special = SpecialTokens(
      padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)
    for (configuration, arithmetic) in [(read, Arithmetic.bfloat16), (tiny, .float32)] {
      let objective = configuration.objective(
        model: configuration.makeModel(), special: special)
      #expect(objective.arithmetic == arithmetic)
    }
  }

  /// Configurations that users write, or that are older than a key, may omit keys.
  ///
  /// The values are those of the runs that are older than the keys.
  @Test
  func keysOfTasksAndPhasesCanBeLeftOut() throws {
    let data = try JSONEncoder().encode(tiny)
    #expect(try JSONDecoder().decode(PretrainingConfiguration.self, from: data) == tiny)
    var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    for key in ["earlier_phases", "arithmetic"] {
      #expect(object.removeValue(forKey: key) != nil, "\(key)")
    }
    var recipe = try #require(object["recipe"] as? [String: Any])
    for key in [
      "objective", "generator_kind", "weight_sharing", "training", "temperature",
      "disallow_correct", "mask_with_replacement", "sampling",
    ] { #expect(recipe.removeValue(forKey: key) != nil, "\(key)") }
    object["recipe"] = recipe
    let older = try JSONSerialization.data(withJSONObject: object)
    var expected = tiny
    expected.recipe.task = PretrainingTask(sampling: .gumbel)
    #expect(try JSONDecoder().decode(PretrainingConfiguration.self, from: older) == expected)
  }
}
