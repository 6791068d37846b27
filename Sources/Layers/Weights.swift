import Synchronization
import Tensors

/// The weights of a model as its passes read them: the flat vector, and its matrices as factors of
/// products.
///
///     let weights = Weights(vector, arithmetic: objective.arithmetic)
///     weights[norm.scale]                                    // float32, as in the vector
///     output.multiply(input.plain, weights.transposed(of: linear.weight, for: input))
///     weights.markChanged()                                  // after every change of the vector
///
/// It is shared by all workers of a rank. The first worker that reads a matrix packs it for all.
package final class Weights: Sendable {
  /// The flat vector.
  package let vector: Storage
  /// The arithmetic of all products with these weights.
  package let arithmetic: Arithmetic
  /// Counts the changes of the vector.
  private let version = Atomic(0)
  private let packed = Mutex<[Key: PackedMatrix]>([:])

  /// A matrix in one of its two orientations.
  private struct Key: Hashable {
    let offset: Int
    let isTransposed: Bool
  }

  package init(_ vector: Storage, arithmetic: Arithmetic = .float32) {
    self.vector = vector
    self.arithmetic = arithmetic
  }

  /// The part of the flat vector that belongs to `parameter`, as a matrix.
  package subscript(parameter: Parameter) -> Tensor { vector[parameter] }

  /// Makes every matrix be packed again when it is read next.
  ///
  /// Call it after a change of the vector and before the next pass, while no pass runs. Weights may
  /// still arrive after the call if the pass waits for them (`ParameterProgress.willRead`).
  package func markChanged() { version.add(1, ordering: .relaxed) }

  /// The matrix of `parameter`, (output, input), as the right factor of products with `left`.
  ///
  /// If `left` is float32 in a run whose products are rounded, as in the heads of fine-tuning, the
  /// factor is the matrix itself.
  package func plain(of parameter: Parameter, for left: Operand) -> RightFactor {
    factor(parameter, isTransposed: false, left)
  }

  /// The transpose of the matrix of `parameter`, otherwise as `plain`.
  package func transposed(of parameter: Parameter, for left: Operand) -> RightFactor {
    factor(parameter, isTransposed: true, left)
  }

  private func factor(
    _ parameter: Parameter, isTransposed: Bool, _ left: Operand
  ) -> RightFactor {
    let matrix = vector[parameter]
    if case .float32 = left, arithmetic != .float32 {
      return .matrix(isTransposed ? matrix.transposed : matrix.plain)
    }
    let key = Key(offset: parameter.offset, isTransposed: isTransposed)
    let result = packed.withLock { packed in
      if let known = packed[key] { return known }
      let new = PackedMatrix(matrix, isTransposed: isTransposed, arithmetic: arithmetic)
      packed[key] = new
      return new
    }
    result.pack(version: version.load(ordering: .relaxed))
    return .packed(result)
  }
}
