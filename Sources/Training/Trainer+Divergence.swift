import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

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
    let (workers, objective, weights, count, onSlice) = (
      workers, objective, modelWeights, settings.sliceCount, onSlice
    )
    let slices = Mutex<[Divergence.Slice]>([])
    team.run { worker in
      let slice = workers[worker].firstNonFiniteSlice(
        objective, totals: totals, weights: weights, count: count, onSlice: onSlice)
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
