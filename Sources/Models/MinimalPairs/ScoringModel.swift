import Electra
import Layers
import Tensors
import Tokenization
import Training

/// A model that scores sentences (`PairScorer`): a checkpoint, or a Hugging Face folder of ELECTRA.
package struct ScoringModel {
  package var objective: PretrainingObjective
  package let weights: Storage
  package let tokenizer: Tokenizer
  /// The step of the checkpoint; nil for a Hugging Face folder.
  package let step: Int?

  /// Reads the folder of a run or a checkpoint, of an `ElectraForPreTraining`, or of an
  /// `ElectraForMaskedLM`.
  ///
  /// Throws an error that names the folder, also for a model without a head.
  package init(_ path: String) throws {
    if HuggingFaceFolder.isOne(path) {
      try self.init(HuggingFaceFolder(path))
    } else {
      try self.init(CheckpointFolder(path))
    }
  }

  private init(_ checkpoint: CheckpointFolder) throws {
    tokenizer = checkpoint.tokenizer
    weights = try checkpoint.weights()
    step = checkpoint.state.step
    var configuration = checkpoint.configuration
    configuration.recipe.length = configuration.longest
    objective = configuration.objective(
      model: checkpoint.model, vocabulary: tokenizer.vocabulary)
  }

  /// Reads the folder as a model of one network, which the model of a task without a generator is.
  private init(_ folder: HuggingFaceFolder) throws {
    tokenizer = try folder.tokenizer()
    step = nil
    var configuration = Preset.small.configuration(vocabularySize: folder.sizes.vocabularySize)
    configuration.model = ElectraSizes(discriminator: folder.sizes)
    configuration.recipe.length = folder.sizes.positionCount
    configuration.recipe.task.generator = .uniform
    configuration.recipe.task.objective = folder.part == .discriminator ? .electra : .mlm
    let (model, task) = (configuration.makeModel(), configuration.recipe.task)
    weights = try folder.weights(model.layout, task, as: .discriminator)
    objective = configuration.objective(model: model, vocabulary: tokenizer.vocabulary)
  }
}
