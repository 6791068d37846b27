import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

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

extension Trainer {
  /// Finds the origin of a non-finite gradient: checks the weights, then computes each slice again.
  ///
  /// Every rank must call it, after the sum and before the update. All ranks return the same value.
  ///
  /// - Parameters:
  ///   - step: the step, counted from zero.
  ///   - tensor: the first tensor whose gradient is not finite.
  ///   - totals: the counts of the whole batch.
  /// - Returns: the divergence; its slice is the first one of all ranks.
  /// - Throws: `TrainerError.replicasDiffer`; an error of the communication.
  func divergence(step: Int, tensor: String, totals: [Int]) throws -> Divergence {
    watch(.step, "diagnosis")
    try waitForWeights()
    try expectEqualReplicas(step: step)
    try gatherInFloat32()
    let parameters = objective.layout.parameters
    if let bad = parameters.first(where: { !Self.isFinite(self.weights, $0) }) {
      return Divergence(step: step, tensor: bad.name, origin: .weights)
    }
    let (workers, objective, weights, count) = (
      workers, objective, modelWeights, settings.sliceCount
    )
    let slices = Mutex<[Divergence.Slice]>([])
    team.run { worker in
      let slice = workers[worker].firstNonFiniteSlice(
        objective, totals: totals, weights: weights, count: count)
      if let slice { slices.withLock { $0.append(slice) } }
    }
    let slice = slices.withLock { $0.min { $0.number < $1.number } }
    // Ranks hold ascending runs of slices, so the first rank with such a slice has the first of
    // all.
    let encoded = try slice.map { Array(try JSONEncoder().encode($0)) } ?? []
    let first = try world.gather(encoded).first { !$0.isEmpty }
    guard let first else { return Divergence(step: step, tensor: tensor, origin: .notReproduced) }
    let found = try JSONDecoder().decode(Divergence.Slice.self, from: Data(first))
    return Divergence(step: step, tensor: found.tensors[0], origin: .slice(found))
  }

  /// Whether all values of a parameter are finite; a Double can hold the sum of their squares.
  static func isFinite(_ vector: Storage, _ parameter: Parameter) -> Bool {
    sumOfSquares(vector.base + parameter.offset, count: parameter.count).isFinite
  }
}

extension Worker {
  /// Computes this worker's slices again and returns the first with a non-finite gradient, if any.
  ///
  /// It overwrites the worker's gradients, whose sum is useless by then.
  func firstNonFiniteSlice(
    _ objective: O, totals: [Int], weights: Weights, count: Int
  ) -> Divergence.Slice? {
    let parameters = objective.layout.parameters
    for (number, batch) in zip(slices, batches) {
      sums.reset()
      let gradient = sums.next()
      let tally = objective.accumulate(
        batch, totals: totals, weights: weights, gradient: gradient, workspace: workspace,
        progress: ParameterProgress(willRead: { _ in }, didFinish: { _ in }))
      sums.push(gradient, slice: number)
      let tensors = parameters.filter { !Trainer<O>.isFinite(gradient, $0) }.map(\.name)
      guard !tensors.isEmpty else { continue }
      let losses = objective.metrics(of: tally).filter {
        $0.name.rawValue.hasSuffix("_loss") && !$0.value.isFinite
      }
      return Divergence.Slice(
        number: number, count: count, tensors: tensors, losses: losses.map(\.name.rawValue),
        batch: batch)
    }
    return nil
  }
}
