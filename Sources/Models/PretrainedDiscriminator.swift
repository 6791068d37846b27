import Electra
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A discriminator with its weights and tokenizer, from a checkpoint or a Hugging Face folder.
package struct PretrainedDiscriminator {
  package let discriminator: StandaloneDiscriminator
  package let weights: Storage
  package let tokenizer: Tokenizer
  /// The length in tokens of the longest sequence that the model accepts: that of its training, or
  /// its number of positions where the training is unknown.
  package let longest: Int
  /// The arithmetic of matrix products: that of the run, and float32 for a Hugging Face folder.
  package var arithmetic = Arithmetic.float32

  /// Reads the folder of a run, of a checkpoint, or of an `ElectraForPreTraining` of transformers.
  ///
  /// Throws an error that names the folder, also for a model without a discriminator's head.
  package init(from path: String) throws {
    if HuggingFaceFolder.isOne(path) {
      try self.init(HuggingFaceFolder(path))
    } else {
      try self.init(CheckpointFolder(path))
    }
  }

  /// Reads the discriminator of a checkpoint; throws `ModelError` for an objective without one.
  package init(_ checkpoint: CheckpointFolder) throws {
    let objective = checkpoint.configuration.recipe.task.objective
    guard objective.detects else {
      throw ModelError.unusable(
        path: checkpoint.path,
        reason:
          "its objective is \(objective.rawValue), so it has no head that detects replaced tokens")
    }
    tokenizer = checkpoint.tokenizer
    discriminator = StandaloneDiscriminator(checkpoint.model.sizes[.discriminator])
    arithmetic = checkpoint.configuration.arithmetic
    longest = checkpoint.configuration.longest
    let file = try checkpoint.discriminatorTensors()
    let differences = ModelFile.compare(file, discriminator.layout) { $0 }
    try ModelFile.expectNone(differences.problems, path: checkpoint.modelPath)
    weights = Storage(count: discriminator.layout.count)
    try ModelFile.copy(file, discriminator.layout, into: weights) { $0 }
  }

  private init(_ folder: HuggingFaceFolder) throws {
    guard folder.part == .discriminator else {
      throw ModelError.unusable(
        path: folder.path, reason: "it is a generator; a discriminator is needed")
    }
    tokenizer = try folder.tokenizer()
    discriminator = StandaloneDiscriminator(folder.sizes)
    longest = folder.sizes.positionCount
    guard longest > 2 else {
      throw ModelError.unusable(
        path: folder.path,
        reason: "its sequences have at most \(longest.of("token")), and [CLS] and [SEP] take two")
    }
    weights = try folder.weights(
      discriminator.layout, PretrainingTask(), as: .discriminator)
  }
}
