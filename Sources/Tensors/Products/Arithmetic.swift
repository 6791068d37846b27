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

extension KeyedDecodingContainer {
  /// Reads the arithmetic at `key`; float32 if the key is missing, as in files of earlier versions.
  ///
  /// Synthesised `Codable` conformances call it for fields of this type, since it is more specific
  /// than the generic `decode`. It stands beside the type so that no file sees one without the
  /// other.
  package func decode(_ type: Arithmetic.Type, forKey key: Key) throws -> Arithmetic {
    try decodeIfPresent(type, forKey: key) ?? .float32
  }
}
