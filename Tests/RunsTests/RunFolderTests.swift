import Electra
import Layers
import Models
import Platform
import Runs
import TestSupport
import Testing

struct RunFolderTests {
  /// A start that is killed while it writes its first files leaves a part of one.
  @Test(arguments: ["start.json", "config.json", "finetuning.json"])
  func aStartThatWasKilledBeforeItsConfigurationIsRepeated(file: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", "start.json")
    try folder.write("{", file + ".partial-1-2")
    #expect(try RunFolder(path: folder.path).existingConfiguration() == nil)
  }

  /// A file that was edited is named before options are applied to its values.
  ///
  /// No heads would be a division by zero in the size of a generator, and the steps of these phases
  /// cannot be added.
  @Test
  func aConfigurationWithInvalidValuesIsNamed() throws {
    let folder = try TemporaryFolder()
    var configuration = Preset.tiny.configuration(vocabularySize: 99)
    configuration.recipe.slices = 1
    func sentence(_ change: (inout PretrainingConfiguration) -> Void) throws -> String {
      var edited = configuration
      change(&edited)
      try folder.write(edited.jsonDocument(), "config.json")
      do {
        return try RunFolder(path: folder.path).existingConfiguration() == edited ? "none" : ""
      } catch let error as TextError {
        return error.description
      }
    }
    #expect(try sentence { _ in } == "none")
    for (says, change) in [
      ("num_attention_heads is 0", { $0.model.discriminator.headCount = 0 }),
      ("--slices 3 is not a power of two", { $0.recipe.slices = 3 }),
      (
        "earlier_phases: the phases have",
        {
          $0.append(.init(recipe: $0.recipe, data: nil))
          $0.earlierPhases[0].recipe.steps = .max
        }
      ),
    ] as [(String, (inout PretrainingConfiguration) -> Void)] {
      let text = try sentence(change)
      #expect(text.contains(says) && text.contains("config.json"), "\(text)")
    }
  }

  @Test
  func aFolderWithOtherFilesIsRejected() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "notes.txt")
    #expect(throws: UsageError.self) {
      try RunFolder(path: folder.path).existingConfiguration()
    }
  }
}
