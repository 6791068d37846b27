/// The arithmetic of matrix products.
///
/// A run has one arithmetic, fixed at its first start. Everything else is float32 in each: weights,
/// moments, gradients and their sums, normalisation, softmax, losses, residual sums and biases.
package enum Arithmetic: String, Sendable, Codable, CaseIterable {
  /// Factors and sums are float32.
  case float32
  /// Factors are rounded to bfloat16, sums are float32 in the order of AVX512-BF16.
  ///
  /// The bits are the same with every implementation of `ProductKernel`. The guide's article
  /// "Arithmetic in bfloat16" (`Bfloat16.md`) is the complete definition.
  case bfloat16
  /// As `bfloat16`, with sums in the order of AMX.
  case bfloat16AMX = "bfloat16-amx"

  /// The order in which products add their terms; nil in float32, where it is the library's.
  package var sumOrder: SumOrder? {
    switch self {
    case .float32: nil
    case .bfloat16: .chain
    case .bfloat16AMX: .blocks
    }
  }

  /// Whether factors of products are rounded to bfloat16.
  package var roundsFactors: Bool { sumOrder != nil }
}

/// The order in which a product of rounded factors adds its terms (`CKernels.h`).
package enum SumOrder: Sendable, CaseIterable {
  /// One chain of multiply-adds over all of K, as VDPBF16PS.
  case chain
  /// Blocks of 32 terms with two chains each, as TDPBF16PS.
  case blocks
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
