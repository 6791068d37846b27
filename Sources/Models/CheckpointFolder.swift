import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A checkpoint of a pre-training run on disk: its state, configuration, model and tokenizer.
///
///     let checkpoint = try CheckpointFolder("run")          // the newest valid one
///     let weights = try checkpoint.weights()
package struct CheckpointFolder {
  package let path: String
  package let state: CheckpointState
  package let configuration: PretrainingConfiguration
  package let model: ElectraModel
  package let tokenizer: Tokenizer

  /// Opens the folder of a checkpoint, or the newest valid checkpoint of a run's folder.
  ///
  /// Verifies the checksums of all files. Throws an error that names the missing or damaged file;
  /// damaged checkpoints of a run are skipped with a note on standard error.
  package init(_ path: String) throws {
    let (folder, state) = try Self.checkpoint(path)
    self.path = folder
    self.state = state
    let file = folder + "/config.json"
    guard let data = FileManager.default.contents(atPath: file) else {
      throw CheckpointError.damaged(file: file, reason: "it is missing")
    }
    configuration = try decodeJSON(PretrainingConfiguration.self, data, from: file)
    if let problem = configuration.problem {
      throw CheckpointError.damaged(file: file, reason: problem)
    }
    model = configuration.makeModel()
    tokenizer = try Tokenizer(folder: folder)
  }

  /// The file of the weights.
  package var modelPath: String { path + "/" + ModelTensors.fileName }
  /// The folder of the run that the checkpoint belongs to.
  var runPath: String { path + "/../.." }

  /// Reads all weights of both networks, in the order of the model's layout.
  package func weights() throws -> Storage {
    let weights = Storage(count: model.layout.count)
    try ModelFile.read(modelPath, model.layout, into: weights)
    return weights
  }

  /// The tensors of the checkpoint with the discriminator's embedding tables under their usual
  /// names, also where the file has their differences from the generator's.
  func discriminatorTensors() throws -> ModelTensors {
    var tensors = try ModelTensors(path: modelPath)
    for table in model.discriminator.embeddings.tables {
      guard let base = table.base else { continue }
      tensors.replace(
        table.parameter.name, withSumOf: base.name, as: table.parameter.nameOfSum)
    }
    return tensors
  }

  /// The folder and state of the checkpoint at `path`, or of the newest valid one of the run there.
  private static func checkpoint(_ path: String) throws -> (String, CheckpointState) {
    if FileManager.default.fileExists(atPath: path + "/state.json") {
      return (path, try CheckpointState(verifying: path))
    }
    let store = CheckpointStore(runFolder: path)
    for step in store.steps().reversed() {
      do {
        return (store.path(step: step), try CheckpointState(verifying: store.path(step: step)))
      } catch {
        standardError("note: \(error); trying the previous checkpoint\n")
      }
    }
    let isRun = FileManager.default.fileExists(atPath: store.folder)
    throw isRun ? CheckpointError.notFound(path: path) as any Error : unreadableModel(path)
  }
}
