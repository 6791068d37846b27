import Layers

/// A step with a non-finite gradient, and its origin.
///
/// The gradient of a slice depends only on the weights and the slice's batch, so it can be computed
/// again by itself: here for the diagnosis, and later from a checkpoint and the stored batch.
package struct Divergence: Sendable, Equatable {
  /// The step, counted from zero.
  package let step: Int
  /// The first tensor of the flat vector with non-finite values: of the weights if there is one,
  /// else of the gradient.
  package let tensor: String
  package let origin: Origin

  package init(step: Int, tensor: String, origin: Origin) {
    (self.step, self.tensor, self.origin) = (step, tensor, origin)
  }

  /// Where the non-finite values come from.
  package enum Origin: Sendable, Equatable {
    /// The weights were not finite before the step.
    case weights
    /// The first slice whose gradient alone is not finite.
    case slice(Slice)
    /// The gradient of every slice is finite when it is computed again.
    case notReproduced
  }

  /// A slice with a non-finite gradient.
  package struct Slice: Sendable, Equatable, Codable {
    /// The slice's number in the step, from 0.
    package let number: Int
    /// The number of slices of the step.
    package let count: Int
    /// The tensors with a non-finite gradient, in the order of the flat vector; never empty.
    package let tensors: [String]
    /// The names of the slice's non-finite losses.
    package let losses: [String]
    package let batch: Batch
  }
}

extension Divergence: CustomStringConvertible {
  package var description: String {
    switch origin {
    case .weights:
      "\(tensor) has non-finite values before step \(step + 1); resume from an older checkpoint, "
        + "or start from another model"
    case .slice(let slice):
      "the gradient of \(tensor)\(slice.others) is not finite in step \(step + 1), slice "
        + "\(slice.number) of 0 to \(slice.count - 1)\(slice.lossesInWords); no weight was "
        + "changed; lower the learning rate or lengthen the warm-up"
    case .notReproduced:
      "the gradient of \(tensor) is not finite in step \(step + 1), but the gradient of every "
        + "slice is finite when computed again: a memory, processor or network fault, or an "
        + "overflow of the sum; no weight was changed; the same command resumes from the last "
        + "checkpoint"
    }
  }
}

extension Divergence.Slice {
  fileprivate var others: String {
    tensors.count > 1 ? " (and of \(tensors.count - 1) more)" : ""
  }

  fileprivate var lossesInWords: String {
    losses.isEmpty ? "" : ", and neither is its \(losses.joined(separator: " or "))"
  }
}
