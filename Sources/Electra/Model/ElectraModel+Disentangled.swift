import Layers
import Tensors

// Gradient-disentangled embedding sharing (DeBERTaV3, He et al. 2021, section 3.3). The flat vector
// and the files of a run hold the differences E_delta; other models hold the sums E_D = E_G +
// E_delta. The two functions convert one into the other, and do nothing for other tasks.

extension ElectraModel {
  /// Adds the generator's tables to the differences in `weights`, which then hold the sums.
  ///
  /// The sums are those that training computes with (`Weights`).
  package func addBases(in weights: Storage) {
    forEachDifference(weights) { difference, base in difference.add(base) }
  }

  /// Replaces the discriminator's tables in `weights`, in the place of the differences, by their
  /// differences from the generator's tables.
  ///
  /// Without a generator (`hasGenerator`), the generator's embeddings, with their normalisation,
  /// are first copied from the discriminator's, and all differences are zero.
  package func subtractBases(in weights: Storage, hasGenerator: Bool) {
    guard task.isDisentangled else { return }
    if !hasGenerator {
      for source in layout.parameters where source.name.hasPrefix("embeddings.") {
        if let target = layout["generator." + source.nameOfSum] {
          weights[target].copy(from: weights[source])
        }
      }
    }
    forEachDifference(weights) { difference, base in
      for i in 0..<difference.count { difference.base[i] -= base.base[i] }
    }
  }

  private func forEachDifference(
    _ weights: Storage, _ body: (_ difference: Tensor, _ base: Tensor) -> Void
  ) {
    for table in discriminator.embeddings.tables {
      if let base = table.base { body(weights[table.parameter], weights[base]) }
    }
  }
}
