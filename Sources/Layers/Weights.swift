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
  /// The sums of embedding tables with a base, by the offset of their parameters.
  private let sums = Mutex<[Int: SummedTable]>([:])

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

  /// An embedding table in float32: its parameter, or the sum of it and the base.
  ///
  /// The first worker that reads a sum adds it for all. Both terms must be up to date.
  package subscript(table: EmbeddingTable) -> Tensor {
    guard let base = table.base else { return vector[table.parameter] }
    let sum = sums.withLock { sums in
      let sum = sums[table.parameter.offset] ?? SummedTable(count: base.count)
      sums[table.parameter.offset] = sum
      return sum
    }
    return sum.of(
      vector[table.parameter], vector[base], version: version.load(ordering: .relaxed))
  }

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
    factor(vector[parameter], at: parameter.offset, isTransposed: false, left)
  }

  /// The transpose of the matrix of `parameter`, otherwise as `plain`.
  package func transposed(of parameter: Parameter, for left: Operand) -> RightFactor {
    factor(vector[parameter], at: parameter.offset, isTransposed: true, left)
  }

  /// An embedding table as the right factor, otherwise as `plain` of a parameter.
  package func plain(of table: EmbeddingTable, for left: Operand) -> RightFactor {
    factor(self[table], at: table.parameter.offset, isTransposed: false, left)
  }

  /// The transpose of an embedding table, otherwise as `plain` of a parameter.
  package func transposed(of table: EmbeddingTable, for left: Operand) -> RightFactor {
    factor(self[table], at: table.parameter.offset, isTransposed: true, left)
  }

  private func factor(
    _ matrix: Tensor, at offset: Int, isTransposed: Bool, _ left: Operand
  ) -> RightFactor {
    if case .float32 = left, arithmetic != .float32 {
      return .matrix(isTransposed ? matrix.transposed : matrix.plain)
    }
    let key = Key(offset: offset, isTransposed: isTransposed)
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
