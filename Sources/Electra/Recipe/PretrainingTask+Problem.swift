extension PretrainingTask {
  /// What is wrong with the task for networks of these sizes, as one sentence; nil when nothing is.
  func problem(_ sizes: ElectraSizes) -> String? {
    if !hasGenerator, let choice = generatorChoice {
      return objective.readsSamples
        ? "a \(generator.rawValue) generator has no network, so \(choice) means nothing"
        : "the objective \(objective.rawValue) has no generator, so \(choice) means nothing"
    }
    if !objective.readsSamples && (generator != .transformer || disallowsCorrect) {
      return
        "the objective \(objective.rawValue) reads no samples, so no generator can be chosen for it"
    }
    if !(temperature > 0 && temperature.isFinite) {
      return "a temperature of \(temperature) is not above 0"
    }
    if sizes.generator != sizes.discriminator {
      if sharing == .all {
        return "--weight-sharing all makes one network of two, which must have the same sizes"
      }
      if scheme == .twoStage {
        return
          "--training two-stage gives the generator's weights to the discriminator, which must "
          + "have the same sizes; two-stage-fresh does without"
      }
    }
    if scheme.hasStages && sharing != .none {
      return
        "--training \(scheme.rawValue) keeps the generator as it is while the discriminator "
        + "learns; that needs --weight-sharing none"
    }
    return adversarialProblem
  }

  /// A choice that is about the generator's network, as its option; nil when all is as in the paper.
  private var generatorChoice: String? {
    if sharing != .embeddings { return "--weight-sharing \(sharing.rawValue)" }
    if scheme != .joint { return "--training \(scheme.rawValue)" }
    return temperature == 1 ? nil : "--temperature \(temperature)"
  }

  /// The policy gradient is that of the generator's own distribution against a discriminator.
  private var adversarialProblem: String? {
    guard scheme == .adversarial else { return nil }
    if objective.predicts {
      return
        "--training adversarial needs a discriminator, which the objective \(objective.rawValue) "
        + "does not train"
    }
    if temperature != 1 || disallowsCorrect || drawsWithReplacement || sharing == .all {
      return "--training adversarial takes the generator's samples as they are, from a network of "
        + "its own: no --temperature, --disallow-correct, --mask-with-replacement or "
        + "--weight-sharing all"
    }
    return nil
  }
}
