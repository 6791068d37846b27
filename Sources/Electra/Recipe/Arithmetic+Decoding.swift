import Tensors

extension KeyedDecodingContainer {
  /// Reads the arithmetic at `key`; float32 if the key is missing, as in files of earlier versions.
  ///
  /// Synthesised `Codable` conformances call it for fields of this type, since it is more specific
  /// than the generic `decode`.
  package func decode(_ type: Arithmetic.Type, forKey key: Key) throws -> Arithmetic {
    try decodeIfPresent(type, forKey: key) ?? .float32
  }
}
