import Collectives
import Foundation
import Layers
import Platform
import Synchronization
import Tensors

/// A step whose gradient is not finite, and where that comes from.
///
/// A slice's gradient is a function of weights and batch alone, so it can be computed once more by
/// itself, here and by whoever has a checkpoint.
package struct Divergence: Sendable, Equatable {
  /// The step, counted from zero.
  package let step: Int
  /// The first tensor of the flat vector that holds a number that is not finite: of the weights, if
  /// they do, else of the gradient.
  package let tensor: String
  package let origin: Origin

  package init(step: Int, tensor: String, origin: Origin) {
    (self.step, self.tensor, self.origin) = (step, tensor, origin)
  }

  /// Where the numbers come from.
  package enum Origin: Sendable, Equatable {
    /// The weights were not finite before the step.
    case weights
    /// The first slice whose own gradient is not finite.
    case slice(Slice)
    /// Every slice's gradient is finite when it is computed once more.
    case nowhere
  }

  /// A slice that makes the gradient what it is.
  package struct Slice: Sendable, Equatable, Codable {
    package let number: Int
    /// The slices of the step.
    package let count: Int
    /// The tensors whose gradient is not finite, in the order of the flat vector.
    package let tensors: [String]
    /// Its losses that are not finite.
    package let losses: [String]
    package let batch: Batch
  }
}

extension Divergence: CustomStringConvertible {
  package var description: String {
    switch origin {
    case .weights:
      "\(tensor) holds numbers that are not finite before step \(step + 1); go on from an older "
        + "checkpoint, or begin with another model"
    case .slice(let slice):
      "the gradient of \(tensor)\(slice.others) is not finite in step \(step + 1), slice "
        + "\(slice.number) of 0 to \(slice.count - 1)\(slice.lossesInWords); no weight was changed; "
        + "lower the learning rate or lengthen the warm-up"
    case .nowhere:
      "the gradient of \(tensor) is not finite in step \(step + 1), but that of every slice is when "
        + "computed once more: a fault of memory, processor or network, or a sum that is too large; "
        + "no weight was changed; the same command goes on from the last checkpoint"
    }
  }
}

extension Divergence.Slice {
  fileprivate var others: String {
    tensors.count > 1 ? " (and of \(tensors.count - 1) more)" : ""
  }

  fileprivate var lossesInWords: String {
    losses.isEmpty ? "" : ", whose \(losses.joined(separator: " and ")) is not either"
  }
}

extension Trainer {
  /// Finds out why the gradient of `step` is not finite: looks at the weights, and computes every
  /// slice once more by itself. Every rank must call it, after the sum and before the update.
  ///
  /// - Parameters:
  ///   - tensor: the first whose gradient is not finite.
  ///   - totals: the counts of the whole batch.
  /// - Throws: `TrainerError.replicasDiffer` when ranks do not agree on which weights are finite.
  func divergence(step: Int, tensor: String, totals: [Int]) throws -> Divergence {
    watch(.step, "diagnosis")
    try waitForWeights()
    let parameters = objective.layout.parameters
    let own = parameters.firstIndex { !Self.isFinite(self.weights, $0) } ?? parameters.count
    let indices = try world.gather([own]).flatMap(\.self)
    if let rank = indices.firstIndex(where: { $0 != indices[0] }) {
      let tensor = parameters[min(indices[0], indices[rank])].name
      throw TrainerError.replicasDiffer(step: step, rank: rank, tensor: tensor)
    }
    if own < parameters.count {
      return Divergence(step: step, tensor: parameters[own].name, origin: .weights)
    }
    let (workers, objective, weights, count) = (workers, objective, weights, settings.sliceCount)
    let found = Mutex<[Divergence.Slice]>([])
    team.run { worker in
      let slice = workers[worker].firstNotFinite(
        objective, totals: totals, weights: weights, count: count)
      if let slice { found.withLock { $0.append(slice) } }
    }
    let slice = found.withLock { $0.min { $0.number < $1.number } }
    let encoded = try slice.map { Array(try JSONEncoder().encode($0)) } ?? []
    let first = try world.gather(encoded).first { !$0.isEmpty }
    guard let first else { return Divergence(step: step, tensor: tensor, origin: .nowhere) }
    let bad = try JSONDecoder().decode(Divergence.Slice.self, from: Data(first))
    return Divergence(step: step, tensor: bad.tensors[0], origin: .slice(bad))
  }

  /// Whether all numbers of a parameter are finite.
  static func isFinite(_ vector: Storage, _ parameter: Parameter) -> Bool {
    sumOfSquares(vector.base + parameter.offset, count: parameter.count).isFinite
  }
}

extension Worker {
  /// The first of this worker's slices whose gradient is not finite by itself; nil when there is none.
  ///
  /// - Parameter count: the slices of the step.
  func firstNotFinite(
    _ objective: O, totals: [Int], weights: Storage, count: Int
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
