/// The form in which gradients and weights are sent between ranks.
///
/// The guide's article "Exchange in bfloat16" (`Exchange.md`) is the complete definition.
package enum ExchangeFormat: String, Sendable, Codable, CaseIterable {
  /// Everything is sent in float32.
  case float32
  /// Sums of gradients are rounded to bfloat16 from a level of the reduction tree on, sent or not;
  /// with bfloat16 arithmetic, matrices are sent in bfloat16 too.
  case bfloat16
}

extension PretrainingConfiguration {
  /// The level of the reduction tree from which sums are rounded; nil for an exchange in float32.
  package var roundingLevel: Int? { exchange == .bfloat16 ? exchangeLevel : nil }

  /// What is wrong with the level of the exchange; nil if nothing is.
  var exchangeProblem: String? {
    guard let exchangeLevel else { return nil }
    if exchange == .float32 {
      return "--exchange-level has no effect in float32; give --exchange bfloat16 too"
    }
    // No batch has more than 2^20 slices.
    return (0...20).contains(exchangeLevel)
      ? nil : "--exchange-level \(exchangeLevel) is not between 0 and 20"
  }
}

extension KeyedDecodingContainer {
  /// Reads the format at `key`; float32 if the key is missing, as in files of earlier versions.
  package func decode(_ type: ExchangeFormat.Type, forKey key: Key) throws -> ExchangeFormat {
    try decodeIfPresent(type, forKey: key) ?? .float32
  }
}
