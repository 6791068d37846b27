/// The arithmetic of matrix products.
///
/// A run has one arithmetic, fixed at its first start. Everything else is float32 in both: weights,
/// moments, gradients and their sums, normalisation, softmax, losses, residual sums and biases.
package enum Arithmetic: String, Sendable, Codable, CaseIterable {
  /// Factors and sums are float32.
  case float32
  /// Factors are rounded to bfloat16, sums are float32 in a fixed order.
  ///
  /// The bits are the same with every implementation of `ProductKernel`. The guide's article
  /// "Arithmetic in bfloat16" (`Bfloat16.md`) is the complete definition.
  case bfloat16
}
