import Electra
import Foundation
import Layers
import Tensors
import Tokenization
import Training

/// A model as it stands in a checkpoint, with everything needed to use it on text.
struct PretrainedModel {
  let configuration: PretrainingConfiguration
  let model: ElectraModel
  let weights: Storage
  let tokenizer: Tokenizer
  /// The checkpoint's folder.
  let path: String
  let state: CheckpointState

  /// Reads a checkpoint's folder, or the newest sound checkpoint of a run's folder.
  init(from path: String) throws {
    let (folder, state) = try Self.checkpoint(path)
    self.path = folder
    self.state = state
    func file(_ name: String) throws -> Data {
      guard let data = FileManager.default.contents(atPath: folder + "/" + name) else {
        throw CheckpointError.damaged(file: folder + "/" + name, reason: "it is missing")
      }
      return data
    }
    configuration = try PretrainingConfiguration.read(
      try file("config.json"), from: folder + "/config.json")
    let normalization = try JSONDecoder().decode(
      TextNormalization.self, from: try file("tokenizer_config.json"))
    tokenizer = Tokenizer(
      vocabulary: try Vocabulary(contentsOf: folder + "/vocab.txt"), normalization: normalization)
    model = ElectraModel(configuration.model)
    weights = Storage(count: model.layout.count)
    try ModelFile.read(folder + "/model.safetensors", model.layout, into: weights)
  }

  private static func checkpoint(_ path: String) throws -> (String, CheckpointState) {
    if FileManager.default.fileExists(atPath: path + "/state.json") {
      return (path, try CheckpointState(verifying: path))
    }
    let store = CheckpointStore(runFolder: path)
    for step in store.steps().reversed() {
      do {
        return (store.path(step: step), try CheckpointState(verifying: store.path(step: step)))
      } catch {
        standardError("note: \(error); trying the checkpoint before it\n")
      }
    }
    throw CheckpointError.notFound(path: path)
  }
}
