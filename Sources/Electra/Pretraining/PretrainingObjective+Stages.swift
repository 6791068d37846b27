import Layers
import Tensors

// Two-stage training (ELECTRA, section 3.2): the generator learns alone in the first half of the steps,
// then the discriminator begins with its weights and learns while the generator stays as it is.

extension PretrainingObjective {
  /// What is trained at `step`.
  func stage(_ step: Int) -> Stage {
    guard let secondStage else { return Stage(generator: true, encoder: true) }
    return Stage(generator: step < secondStage, encoder: step >= secondStage)
  }

  /// Which networks a step trains.
  struct Stage {
    let generator: Bool
    let encoder: Bool
  }

  package func frozen(at step: Int) -> [Range<Int>] {
    let stage = stage(step)
    return (stage.generator ? [] : [model.generatorRange])
      + (stage.encoder ? [] : [model.embeddingRange, model.discriminatorRange])
  }

  /// The discriminator begins its stage with what the generator has learnt, embeddings too.
  package func preparation(for step: Int) -> ((Storage) -> Void)? {
    guard step == secondStage, model.task.scheme == .twoStage else { return nil }
    return { weights in
      for parameter in layout.parameters where parameter.name.hasPrefix("generator.") {
        let rest = parameter.name.dropFirst("generator.".count)
        let name = rest.hasPrefix("embeddings.") ? String(rest) : "discriminator." + rest
        guard let own = layout[name] else { preconditionFailure("there is no \(name)") }
        weights[own].copy(from: weights[parameter])
      }
    }
  }
}
