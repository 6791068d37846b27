import Tensors

/// The weights of a model as its passes read them: the flat vector, and its matrices as factors of
/// products.
///
///     let weights = Weights(vector, arithmetic: objective.arithmetic)
///     weights[norm.scale]                    // float32, as in the vector
///
/// It is shared by all workers of a rank.
package final class Weights: Sendable {
  /// The flat vector.
  package let vector: Storage
  /// The arithmetic of all products with these weights.
  package let arithmetic: Arithmetic

  package init(_ vector: Storage, arithmetic: Arithmetic = .float32) {
    self.vector = vector
    self.arithmetic = arithmetic
  }

  /// The part of the flat vector that belongs to `parameter`, as a matrix.
  package subscript(parameter: Parameter) -> Tensor { vector[parameter] }
}
