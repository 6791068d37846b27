/// Decodes UTF-8 that is expected to be valid; malformed bytes never cause invalid reads.
enum UTF8Decoding {
  /// The code point (below 0x110000) that begins at `index`, and its length in bytes.
  ///
  /// A truncated or out-of-range sequence decodes as U+FFFD with a length of one byte.
  @inline(__always)
  static func decode(
    _ text: UnsafeBufferPointer<UInt8>, at index: Int
  ) -> (codePoint: UInt32, length: Int) {
    let first = UInt32(text[index])
    if first < 0x80 { return (first, 1) }
    func tail(_ offset: Int) -> UInt32 { UInt32(text[index + offset]) & 63 }
    let left = text.count - index
    switch first {
    case 0xC0..<0xE0 where left >= 2:
      return ((first & 31) << 6 | tail(1), 2)
    case 0xE0..<0xF0 where left >= 3:
      return ((first & 15) << 12 | tail(1) << 6 | tail(2), 3)
    case 0xF0..<0xF8 where left >= 4:
      let codePoint = (first & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3)
      return codePoint < 0x110000 ? (codePoint, 4) : (0xFFFD, 1)
    default:
      return (0xFFFD, 1)
    }
  }
}
