import Electra
import Foundation
import Platform
import Testing

/// `config.json` of runs and of exported models: old files must be read, and the checksums of checkpoints
/// cover the bytes.
struct ConfigurationFileTests {
  @Test
  func aRunsConfigurationHasItsUsualBytes() throws {
    var configuration = Preset.tiny.configuration(vocabularySize: 100)
    configuration.recipe.task.goal = .electra15
    print(String(decoding: try configuration.jsonDocument(), as: UTF8.self))
    let sizes = configuration.model[.discriminator]
    print(String(decoding: try HuggingFaceConfiguration(sizes, architecture: "ElectraModel", paddingID: 3).jsonDocument(), as: UTF8.self))
  }
}
