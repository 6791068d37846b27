import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

extension HuggingFaceConfiguration {
  /// Sets the type of the weights; float32, the default, is not written.
  mutating func setWeights(_ type: WeightType) {
    weightType = type == .float32 ? nil : type.rawValue
  }
}

extension ModelFile.Format {
  /// The format of the options `--dtype` and `--shard-size`; throws `UsageError` for no size.
  package init(type: WeightType, shardSize: String?) throws {
    self.init(type: type)
    guard let shardSize else { return }
    guard let bytes = Int(bytes: shardSize) else {
      throw UsageError("--shard-size \(shardSize) is not a size such as 500MB or 2GB")
    }
    self.shardSize = bytes
  }
}

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
  /// `format` is that of the weights. The folder appears under its name only when it is complete.
  /// Throws `FileError.exists` for an existing one.
  package func write(to output: String, _ format: ModelFile.Format = .init()) throws {
    let folder = try makeFolder(output)
    let task = checkpoint.configuration.recipe.task
    let sizes = checkpoint.model.sizes[part]
    let weights = try checkpoint.weights()
    checkpoint.model.addBases(in: weights)
    try ModelFile.export(
      weights, checkpoint.model.layout, to: folder.partial, format,
      fault: FaultInjection.hook, naming: { task.huggingFaceName($0, of: part) })
    var files = try checkpoint.tokenizer.files(maximumLength: sizes.positionCount)
    var configuration = HuggingFaceConfiguration(
      sizes, architecture: architecture,
      paddingID: checkpoint.tokenizer.vocabulary.special.padding)
    configuration.setWeights(format.type)
    files["config.json"] = try configuration.jsonDocument()
    files["README.md"] = Data(ModelCard(checkpoint, part, architecture).text.utf8)
    for (name, data) in files {
      try DurableFile.write(
        Array(data), to: folder.partial + "/" + name, fault: FaultInjection.hook)
    }
    try folder.publish()
  }
}
