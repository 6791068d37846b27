import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// Exports one network of a checkpoint as a folder that transformers loads.
package struct HuggingFaceExport {
  package let checkpoint: CheckpointFolder
  private let part: ModelPart
  /// The class of transformers that loads the folder.
  package let architecture: String

  /// Opens the run or checkpoint at `path`; throws `UsageError` if it has no network `part`.
  package init(from path: String, _ part: ModelPart) throws {
    let checkpoint = try CheckpointFolder(path)
    let task = checkpoint.configuration.recipe.task
    guard let architecture = task.architecture(of: part) else {
      throw UsageError(
        "\(path) has no \(part.rawValue): its objective is \(task.objective.rawValue); omit --part "
          + "for its encoder")
    }
    (self.checkpoint, self.part, self.architecture) = (checkpoint, part, architecture)
  }

  /// Writes weights, configuration, tokenizer and model card to a new folder.
  ///
  /// The folder appears under its name only when it is complete. Throws `FileError.exists` for an
  /// existing one.
  package func write(to output: String) throws {
    let folder = try makeFolder(output)
    let task = checkpoint.configuration.recipe.task
    let sizes = checkpoint.model.sizes[part]
    try ModelFile.write(
      checkpoint.weights(), checkpoint.model.layout, path: folder.partial + "/model.safetensors",
      fault: FaultInjection.hook, naming: { task.huggingFaceName($0, of: part) })
    var files = try checkpoint.tokenizer.files(maximumLength: sizes.positionCount)
    files["config.json"] = try HuggingFaceConfiguration(
      sizes, architecture: architecture,
      paddingID: checkpoint.tokenizer.vocabulary.special.padding
    ).jsonDocument()
    files["README.md"] = Data(ModelCard(checkpoint, part, architecture).text.utf8)
    for (name, data) in files {
      try DurableFile.write(
        Array(data), to: folder.partial + "/" + name, fault: FaultInjection.hook)
    }
    try folder.publish()
  }
}
