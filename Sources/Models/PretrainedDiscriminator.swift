import Electra
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A discriminator with everything needed to use it on text, from a checkpoint of ours or from a
/// folder of transformers'.
package struct PretrainedDiscriminator {
  let discriminator: Discriminator
  let weights: Storage
  let tokenizer: Tokenizer
  /// Tokens of the longest sequence that it was trained on, as far as is known.
  let longest: Int

  /// Reads a run's folder, a checkpoint's, or one that transformers' `ElectraForPreTraining` loads.
  package init(from path: String) throws {
    if HuggingFaceFolder.isOne(path) {
      try self.init(HuggingFaceFolder(path))
    } else {
      try self.init(CheckpointFolder(path))
    }
  }

  private init(_ checkpoint: CheckpointFolder) throws {
    let objective = checkpoint.configuration.recipe.task.objective
    guard objective.detects else {
      throw ModelError.unusable(
        path: checkpoint.path,
        reason: "its objective is \(objective.rawValue), so nothing in it tells replaced tokens")
    }
    tokenizer = checkpoint.tokenizer
    discriminator = Discriminator(checkpoint.model.sizes[.discriminator])
    let configuration = checkpoint.configuration
    let recipes = configuration.earlierPhases.map(\.recipe) + [configuration.recipe]
    longest = recipes.map(\.length).max() ?? 0
    let file = try SafetensorsFile(path: checkpoint.modelPath)
    let differences = ModelFile.compare(file, discriminator.layout) { $0 }
    try ModelFile.expectNone(
      differences.mismatched + differences.missing.map { "\($0) is missing" },
      path: checkpoint.modelPath)
    weights = Storage(count: discriminator.layout.count)
    try ModelFile.copy(file, discriminator.layout, into: weights) { $0 }
  }

  private init(_ folder: HuggingFaceFolder) throws {
    guard folder.part == .discriminator else {
      throw ModelError.unusable(
        path: folder.path, reason: "it is a generator; a discriminator is needed")
    }
    tokenizer = try folder.tokenizer()
    discriminator = Discriminator(folder.sizes)
    longest = folder.sizes.positionCount
    let missing = try folder.compare(discriminator.layout).missing
    guard missing.isEmpty else {
      throw ModelError.unusable(path: folder.path, reason: "it lacks \(shortList(missing))")
    }
    weights = Storage(count: discriminator.layout.count)
    _ = try folder.load(into: weights, discriminator.layout)
  }
}
