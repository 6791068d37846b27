import Electra
import Models
import Runs
import TestSupport
import Testing

struct PhaseFileTests {
  private static func configuration() -> PretrainingConfiguration {
    var configuration = Preset.tiny.configuration(vocabularySize: 100)
    (configuration.recipe.steps, configuration.data) = (50, "short")
    return configuration
  }

  @Test
  func aPhaseChangesWhatItNamesAndWarmsUpForATenth() throws {
    let folder = try TemporaryFolder()
    let phase = try PhaseFile(
      path: folder.write(
        #"{"data": "long", "num_train_steps": 40, "train_batch_size": 8, "learning_rate": 0.5}"#,
        "phase.json"))
    #expect(phase.data == "long")
    let before = Self.configuration()
    var after = before
    try phase.append(to: &after, stepsDone: 50, data: "digest")
    #expect(after.firstStep == 50 && after.steps == 90 && after.data == "digest")
    #expect(after.earlierPhases.map(\.recipe) == [before.recipe])
    #expect(after.earlierPhases.map(\.data) == ["short"])
    var recipe = before.recipe
    (recipe.steps, recipe.batchSize, recipe.learningRate, recipe.warmupSteps) = (40, 8, 0.5, 4)
    #expect(after.recipe == recipe)
    // The same command in the middle of the phase changes nothing.
    var again = after
    try phase.append(to: &again, stepsDone: 60, data: "digest")
    #expect(again == after)
  }

  /// Another objective with its settings; the ramp of the phase before is not repeated.
  @Test
  func aPhaseMayChangeTheObjective() throws {
    let folder = try TemporaryFolder()
    let rtd = try PhaseFile(
      path: folder.write(
        #"""
        {"num_train_steps": 40, "objective": "mlm-rtd", "replace_prob": 0.1, "disc_weight": 5,
         "disc_weight_ramp": [0.25, 0.5], "mask_prob": 0.2}
        """#, "rtd.json"))
    let mlm = try PhaseFile(
      path: folder.write(#"{"num_train_steps": 30, "objective": "mlm"}"#, "mlm.json"))
    let electra = try PhaseFile(path: folder.write(#"{"num_train_steps": 20}"#, "electra.json"))
    var configuration = Self.configuration()
    try rtd.append(to: &configuration, stepsDone: 50, data: "short")
    let recipe = configuration.recipe
    #expect(recipe.task.objective == .mlmRTD && recipe.task.generator == .unigram)
    #expect(recipe.replacedFraction == 0.1 && recipe.discriminatorWeight == 5)
    #expect(recipe.maskFraction == 0.2 && configuration.rampSteps == 60..<70)
    #expect(configuration.phaseInWords?.position == "2, from step 50")
    let changes = try #require(configuration.phaseInWords?.changes)
    #expect(changes.contains("objective is mlm-rtd instead of electra"), "\(changes)")
    let again = configuration
    try rtd.append(to: &configuration, stepsDone: 60, data: "short")
    #expect(configuration == again)
    var same = configuration
    try electra.append(to: &same, stepsDone: 90, data: "short")
    #expect(same.recipe.task.objective == .mlmRTD && same.rampSteps == nil)
    try mlm.append(to: &configuration, stepsDone: 90, data: "short")
    #expect(configuration.problem == nil && configuration.recipe.replacedFraction == nil)
  }

  /// A phase without a generator has no temperature, and a phase keeps disentangled embeddings.
  @Test
  func aPhaseWithoutAGeneratorHasNoTemperature() throws {
    let folder = try TemporaryFolder()
    func phase(_ settings: String) throws -> PhaseFile {
      try PhaseFile(
        path: folder.write(#"{"num_train_steps": 40, \#(settings)}"#, "phase.json"))
    }
    var before = Self.configuration()
    before.recipe.task.temperature = 0.7
    var configuration = before
    try phase(#""objective": "mlm""#).append(to: &configuration, stepsDone: 50, data: "short")
    #expect(configuration.problem == nil && configuration.recipe.task.temperature == 1)
    configuration = before
    for refused in [#""weight_sharing": "disentangled""#, #""disc_weight_ramp": [-0.5, 0.5]"#] {
      #expect(throws: UsageError.self, "\(refused)") {
        try phase(refused).append(to: &configuration, stepsDone: 50, data: "short")
      }
    }
    var disentangled = before
    disentangled.recipe.task.sharing = .disentangled
    #expect(throws: UsageError.self) {
      try phase(#""objective": "mlm", "weight_sharing": "embeddings""#)
        .append(to: &disentangled, stepsDone: 50, data: "short")
    }
  }

  /// The rest of a schedule in a branch is no phase of a file, even if their settings are equal.
  @Test
  func aPhaseFollowsABranchOfEqualSettings() throws {
    let folder = try TemporaryFolder()
    let phase = try PhaseFile(path: folder.write(#"{"num_train_steps": 40}"#, "phase.json"))
    var configuration = Self.configuration()
    var rest = configuration.recipe
    (rest.steps, rest.discriminatorRamp) = (40, nil)
    configuration.append(.init(recipe: rest, data: "short"))
    for _ in 0..<2 {
      try phase.append(to: &configuration, stepsDone: 90, data: "short", branchStep: 50)
      #expect((configuration.firstStep, configuration.steps) == (90, 130))
    }
  }

  @Test
  func aPhaseWaitsForTheEndOfTheOneBefore() throws {
    let folder = try TemporaryFolder()
    let phase = try PhaseFile(path: folder.write(#"{"num_train_steps": 40}"#, "phase.json"))
    var configuration = Self.configuration()
    #expect(throws: UsageError.self) {
      try phase.append(to: &configuration, stepsDone: 49, data: "digest")
    }
    #expect(configuration == Self.configuration())
  }

  @Test(arguments: [
    #"{"num_train_steps": 4, "steps": 7}"#, #"{"data": "long"}"#, "[]", "",
    #"{"num_train_steps": 4, "objective": "bert"}"#, #"{"num_train_steps": 4, "seed": 2}"#,
  ])
  func aFileThatIsNoPhaseIsRefused(text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, "phase.json")
    #expect(throws: (any Error).self) { try PhaseFile(path: path) }
    #expect(throws: UsageError.self) { try PhaseFile(path: folder.file("absent.json")) }
  }
}
