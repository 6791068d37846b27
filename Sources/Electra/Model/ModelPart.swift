import Layers

/// The models that a pre-training run can produce.
package enum ModelPart: String, Sendable, CaseIterable {
  /// The discriminator's encoder, with the head of the objective.
  case discriminator
  case generator
  /// The discriminator's encoder with its head over the vocabulary, where it also has the head that
  /// detects (objective mlm-rtd).
  case languageModel = "language-model"

  /// The network whose encoder and sizes the model has.
  var network: ModelPart { self == .generator ? .generator : .discriminator }
}

extension PretrainingTask {
  /// The transformers class that loads `part`; nil if the task does not train it.
  package func architecture(of part: ModelPart) -> String? {
    switch part {
    case .discriminator: objective.detects ? "ElectraForPreTraining" : "ElectraForMaskedLM"
    case .generator: hasGenerator ? "ElectraForMaskedLM" : nil
    case .languageModel: objective.masksAndReplaces ? "ElectraForMaskedLM" : nil
    }
  }

  /// The name in transformers of the parameter `name` of `ElectraModel`; nil if `part` does not
  /// have it.
  ///
  /// Our names begin with the network (`generator.encoder...`). A Hugging Face folder holds one
  /// network, whose names begin with `prefix`: `electra.`, `bert.` or nothing. Differences of
  /// embedding tables have the name of the sum (`ElectraModel.addBases`). Heads
  /// (`generator_lm_head...`) keep their names. The exception is the vocabulary head of the
  /// discriminator's encoder, which transformers also calls the generator's.
  package func huggingFaceName(
    _ name: String, of part: ModelPart, prefix: String = "electra."
  ) -> String? {
    if name.hasPrefix("embeddings.") {
      if part == .generator && generatorHasEmbeddings { return nil }
      return prefix + EmbeddingTable.nameOfSum(name)
    }
    let network = (sharing == .all ? .discriminator : part.network).rawValue + "."
    if name.hasPrefix(network) { return prefix + name.dropFirst(network.count) }
    switch part {
    case .generator:
      return name.hasPrefix("generator_predictions") || name.hasPrefix("generator_lm_head")
        ? name : nil
    case .discriminator where objective.detects:
      return name.hasPrefix("discriminator_predictions") ? name : nil
    case .discriminator, .languageModel:
      for (ourName, theirName) in [
        ("discriminator_mlm_predictions", "generator_predictions"),
        ("discriminator_lm_head", "generator_lm_head"),
      ] where name.hasPrefix(ourName) {
        return theirName + name.dropFirst(ourName.count)
      }
      return nil
    }
  }
}
