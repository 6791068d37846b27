import Layers
import Tensors

// Two-stage training (ELECTRA, section 3.2): the first half of the steps trains the generator
// alone. Then the discriminator is initialised with its weights and trained, while the generator
// stays frozen.

extension PretrainingObjective {
  /// The networks that `step` trains.
  func stage(_ step: Int) -> Stage {
    guard let secondStage else { return Stage(generator: true, discriminator: true) }
    return Stage(generator: step < secondStage, discriminator: step >= secondStage)
  }

  /// Which networks a step trains.
  struct Stage {
    let generator: Bool
    let discriminator: Bool
  }

  /// The networks that the stage of `step` does not train.
  package func frozen(at step: Int) -> [Range<Int>] {
    let stage = stage(step)
    return (stage.generator ? [] : [model.generatorRange])
      + (stage.discriminator ? [] : [model.embeddingRange, model.discriminatorRange])
  }

  /// At the first step of the second stage, copies the generator's weights, embeddings included, to
  /// the discriminator.
  ///
  /// Heads are not copied: they differ. Disentangled tables are not copied either: they begin as
  /// the generator's, because the differences are still zero.
  package func prepareWeights(before step: Int) -> ((Storage) -> Void)? {
    guard step == secondStage, model.task.scheme == .twoStage else { return nil }
    return { weights in
      for parameter in layout.parameters where parameter.name.hasPrefix("generator.") {
        let rest = parameter.name.dropFirst("generator.".count)
        let name = rest.hasPrefix("embeddings.") ? String(rest) : "discriminator." + rest
        guard let target = layout[name] else {
          precondition(
            model.task.isDisentangled && rest.hasPrefix("embeddings."), "there is no \(name)")
          continue
        }
        weights[target].copy(from: weights[parameter])
      }
    }
  }
}
