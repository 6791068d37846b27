import Electra
import Models
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

  @Test
  func aFolderWithOtherFilesIsRejected() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "notes.txt")
    #expect(throws: UsageError.self) {
      try RunFolder(path: folder.path).existingConfiguration()
    }
  }
}
