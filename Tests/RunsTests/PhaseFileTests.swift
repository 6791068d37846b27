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

  @Test(arguments: [#"{"num_train_steps": 4, "steps": 7}"#, #"{"data": "long"}"#, "[]", ""])
  func aFileThatIsNoPhaseIsRefused(text: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, "phase.json")
    #expect(throws: (any Error).self) { try PhaseFile(path: path) }
    #expect(throws: UsageError.self) { try PhaseFile(path: folder.file("absent.json")) }
  }
}
