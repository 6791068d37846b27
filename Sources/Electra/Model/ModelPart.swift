/// The two models that a pre-training run can make.
package enum ModelPart: String, Sendable, CaseIterable {
  /// The large encoder, with whatever head its objective gives it.
  case discriminator
  case generator
}

extension PretrainingTask {
  /// The class of transformers that loads a part; nil when the task trains no such part.
  package func architecture(of part: ModelPart) -> String? {
    switch part {
    case .discriminator: objective.detects ? "ElectraForPreTraining" : "ElectraForMaskedLM"
    case .generator: hasGenerator ? "ElectraForMaskedLM" : nil
    }
  }

  /// What transformers calls the parameter that we call `name`; nil when `part` has none such.
  ///
  /// Ours say which network a tensor belongs to (`generator.encoder...`); a folder of Hugging Face
  /// holds one network, and its names begin with `prefix`: `electra.`, `bert.` or nothing. Heads
  /// (`generator_lm_head...`) keep their names, but for that of a large encoder that predicts tokens:
  /// there too transformers calls it the generator's.
  package func huggingFaceName(
    _ name: String, of part: ModelPart, prefix: String = "electra."
  ) -> String? {
    if name.hasPrefix("embeddings.") {
      return part == .generator && sharing == .none ? nil : prefix + name
    }
    let network = (sharing == .all ? .discriminator : part).rawValue + "."
    if name.hasPrefix(network) { return prefix + name.dropFirst(network.count) }
    switch part {
    case .generator:
      return name.hasPrefix("generator_predictions") || name.hasPrefix("generator_lm_head")
        ? name : nil
    case .discriminator:
      if objective.detects { return name.hasPrefix("discriminator_predictions") ? name : nil }
      for (own, theirs) in [
        ("discriminator_mlm_predictions", "generator_predictions"),
        ("discriminator_lm_head", "generator_lm_head"),
      ] where name.hasPrefix(own) {
        return theirs + name.dropFirst(own.count)
      }
      return nil
    }
  }
}
