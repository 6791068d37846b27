extension PretrainingTask {
  /// The first conflict among the options of the task, for networks of these sizes; nil if there is
  /// none.
  func problem(_ sizes: ElectraSizes) -> String? {
    if let problem = generatorChoice.flatMap(problem(ofGeneratorOption:)) { return problem }
    if !objective.readsSamples && (generator != .transformer || disallowsCorrect) {
      return
        "the objective \(objective.rawValue) reads no samples, so it takes no --generator or "
        + "--disallow-correct"
    }
    if objective.masksAndReplaces && (scheme != .joint || drawsWithReplacement) {
      return
        "the objective \(objective.rawValue) has joint training only, and its masked and replaced "
        + "positions are disjoint; omit --training and --mask-with-replacement"
    }
    if let problem = NumberRange.positive.problem("--temperature", temperature) { return problem }
    if sizes.generator != sizes.discriminator {
      if sharing == .all {
        return
          "--weight-sharing all needs generator and discriminator of equal size; leave out "
          + "--generator-width and --generator-depth"
      }
      if scheme == .twoStage {
        return
          "--training two-stage copies the generator's weights to the discriminator, which needs "
          + "equal sizes; leave out --generator-width and --generator-depth, or use two-stage-fresh"
      }
    }
    if scheme.hasStages && !generatorHasEmbeddings {
      return
        "--training \(scheme.rawValue) freezes the generator while the discriminator is trained, "
        + "which needs --weight-sharing none or disentangled"
    }
    return adversarialProblem
  }

  /// Why `option`, which affects only a generator network, has no effect; nil if there is one.
  package func problem(ofGeneratorOption option: String) -> String? {
    if hasGenerator { return nil }
    guard objective.readsSamples else {
      return "the objective \(objective.rawValue) has no generator, so \(option) has no effect"
    }
    let problem = "a \(generator.rawValue) generator has no network, so \(option) has no effect"
    return objective.masksAndReplaces
      ? "the objective is \(objective.rawValue), and \(problem); give --objective electra too"
      : problem
  }

  /// An option that affects only a generator network; nil if all have the paper's values.
  private var generatorChoice: String? {
    // Two stages imply that nothing is shared, so the scheme is the option that was given.
    if scheme != .joint { return "--training \(scheme.rawValue)" }
    if sharing != .embeddings { return "--weight-sharing \(sharing.rawValue)" }
    return temperature == 1 ? nil : "--temperature \(temperature)"
  }

  /// Adversarial training needs a discriminator, and samples from the generator's own distribution:
  /// the policy gradient is that of the distribution which is sampled.
  private var adversarialProblem: String? {
    guard scheme == .adversarial else { return nil }
    if objective.predicts {
      return
        "--training adversarial needs a discriminator, and the objective \(objective.rawValue) "
        + "trains none"
    }
    if temperature != 1 || disallowsCorrect || drawsWithReplacement || sharing == .all {
      return "--training adversarial excludes --temperature, --disallow-correct, "
        + "--mask-with-replacement and --weight-sharing all"
    }
    return nil
  }
}
