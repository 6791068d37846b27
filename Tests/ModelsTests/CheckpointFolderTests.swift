import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Tokenization
import Training

struct CheckpointFolderTests {
  @Test
  func aRunOpensItsNewestCheckpoint() throws {
    let folder = try TemporaryFolder()
    let (model, weights) = try writeRun(folder.file("run"), steps: [5, 9])
    let newest = try CheckpointFolder(folder.file("run"))
    #expect(newest.state.step == 9)
    #expect(newest.model.layout.count == model.layout.count)
    #expect(try newest.weights().values == weights.values)
    let first = try CheckpointFolder(folder.file("run/checkpoints/step-00000005"))
    #expect(first.state.step == 5)
    #expect(first.tokenizer.encode("the cat") == newest.tokenizer.encode("the cat"))
  }

  @Test
  func aDamagedCheckpointIsPassedOverInARunAndRefusedByItself() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"), steps: [5, 9])
    let damaged = "run/checkpoints/step-00000009"
    var bytes = try folder.bytes(damaged + "/model.safetensors")
    bytes[bytes.count - 1] ^= 1
    try folder.write(bytes, damaged + "/model.safetensors")
    #expect(try CheckpointFolder(folder.file("run")).state.step == 5)
    let error = sentence { _ = try CheckpointFolder(folder.file(damaged)) }
    #expect(error.contains("model.safetensors") && error.contains("its checksum differs"))
  }

  @Test
  func aFolderWithoutACheckpointIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "run/checkpoints/torn")
    #expect(sentence { _ = try CheckpointFolder(folder.file("run")) }.contains("run"))
    let other = sentence { _ = try CheckpointFolder(folder.file("none")) }
    #expect(other.contains("there is no such folder"))
  }

  /// An invalid configuration whose checksum is correct.
  @Test
  func aConfigurationThatCannotBeIsRefused() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let source = "run/checkpoints/step-00000005"
    for (text, reason) in [
      (
        try folder.text(source + "/config.json").replacingOccurrences(
          of: "\"max_seq_length\" : 12", with: "\"max_seq_length\" : 13"), "--length 13"
      ),
      ("{}", "the key model is missing"),
    ] {
      try CheckpointStore(runFolder: folder.file("other")).save(
        CheckpointState(step: 1), files: ["config.json": Data(text.utf8)]
      ) { _ in [:] }
      let error = sentence { _ = try CheckpointFolder(folder.file("other")) }
      #expect(error.contains(reason), "\(error)")
    }
  }
}
