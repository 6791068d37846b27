extension UnsafeBufferPointer<UInt8> {
  /// Whether the UTF-8 text is empty or only white space, as defined by Python's `str.isspace`.
  ///
  /// This includes the ASCII separators 0x1C to 0x1F, U+0085, U+00A0 and U+3000.
  var isOnlyWhitespace: Bool {
    var index = 0
    while index < count {
      let length = spaceLength(at: index)
      if length == 0 { return false }
      index += length
    }
    return true
  }

  /// The length in bytes of the space at `index`; 0 if there is none.
  @inline(__always)
  private func spaceLength(at index: Int) -> Int {
    let byte = self[index]
    if byte < 0x80 {
      return byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte) ? 1 : 0
    }
    switch byte {
    case 0xC2, 0xE1, 0xE2, 0xE3: return wideSpaceLength(at: index)
    default: return 0
    }
  }

  /// The length of a space outside ASCII, or 0.
  ///
  /// These are U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000.
  private func wideSpaceLength(at index: Int) -> Int {
    guard index + 1 < count else { return 0 }
    let second = self[index + 1]
    if self[index] == 0xC2 { return second == 0x85 || second == 0xA0 ? 2 : 0 }
    guard index + 2 < count else { return 0 }
    let third = self[index + 2]
    let isSpace =
      switch (self[index], second) {
      case (0xE1, 0x9A): third == 0x80
      case (0xE2, 0x80): (0x80...0x8A).contains(third) || [0xA8, 0xA9, 0xAF].contains(third)
      case (0xE2, 0x81): third == 0x9F
      case (0xE3, 0x80): third == 0x80
      default: false
      }
    return isSpace ? 3 : 0
  }
}
