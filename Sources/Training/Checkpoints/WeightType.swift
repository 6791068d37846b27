/// The types in which weights are written; raw values are the names of PyTorch.
package enum WeightType: String, Sendable, CaseIterable {
  case float32, float16, bfloat16

  /// The type in a safetensors file.
  var numberType: SafetensorsFile.NumberType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    }
  }

  /// The bytes of one value.
  var size: Int { numberType.bits / 8 }

  /// Appends the nearest value of this type, ties to even, as little-endian bytes.
  ///
  /// Returns false for a finite value that would become infinite.
  func append(_ value: Float, to bytes: inout [UInt8]) -> Bool {
    let bits: UInt32
    let isFinite: Bool
    switch self {
    case .float32: (bits, isFinite) = (value.bitPattern, value.isFinite)
    case .float16:
      let half = Float16(value)
      (bits, isFinite) = (UInt32(half.bitPattern), half.isFinite)
    case .bfloat16:
      (bits, isFinite) = Self.bfloat16(value)
    }
    for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * index))) }
    return isFinite || !value.isFinite
  }

  /// The bits of the nearest bfloat16, and whether it is finite.
  ///
  /// Adding half a unit of the last bit that is kept rounds, with ties to an even last bit. Of a
  /// NaN the quiet bit is set, because rounding could make it infinite.
  private static func bfloat16(_ value: Float) -> (bits: UInt32, isFinite: Bool) {
    let bits = value.bitPattern
    if value.isNaN { return (bits >> 16 | 0x40, false) }
    let rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return (rounded, rounded & 0x7F80 != 0x7F80)
  }
}
