/// An escape sequence of one half of a surrogate pair without the other half.
struct LoneSurrogate: Error {
  /// The escape sequence as written in the text.
  let escape: String
}

/// The UTF-8 of a JSON string whose contents, without quotation marks, are at `range`.
///
/// The contents must be syntactically valid.
func decoded(
  _ range: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>
) throws(LoneSurrogate) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(range.count)
  var index = range.lowerBound
  while index < range.upperBound {
    let end = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: "\\"))
    result += bytes[index..<(end ?? range.upperBound)]
    guard let end else { break }
    index = end + 2
    if let byte = shortEscape(bytes[end + 1]) {
      result.append(byte)
    } else {
      let (scalar, length) = try character(bytes, at: end, upTo: range.upperBound)
      result += String(scalar).utf8
      index = end + length
    }
  }
  return result
}

/// The character of a `\u` escape or of a surrogate pair, and the length of its escapes in bytes.
private func character(
  _ bytes: UnsafeBufferPointer<UInt8>, at index: Int, upTo end: Int
) throws(LoneSurrogate) -> (Unicode.Scalar, length: Int) {
  let first = hexadecimal(bytes, at: index + 2) ?? 0
  if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
  let second =
    index + 12 <= end && bytes[index + 6] == UInt8(ascii: "\\")
      && bytes[index + 7] == UInt8(ascii: "u")
    ? hexadecimal(bytes, at: index + 8) : nil
  if first < 0xDC00, let second, (0xDC00..<0xE000).contains(second),
    let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
  {
    return (scalar, 12)
  }
  throw LoneSurrogate(escape: String(decoding: bytes[index..<index + 6], as: UTF8.self))
}

/// The byte for an escape sequence of one letter; nil if there is none.
func shortEscape(_ letter: UInt8) -> UInt8? {
  switch letter {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
  case UInt8(ascii: "b"): 0x08
  case UInt8(ascii: "f"): 0x0C
  case UInt8(ascii: "n"): 0x0A
  case UInt8(ascii: "r"): 0x0D
  case UInt8(ascii: "t"): 0x09
  default: nil
  }
}

/// The value of the four hexadecimal digits at `index`; nil if they are not all digits.
func hexadecimal(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt32? {
  guard index + 4 <= bytes.count else { return nil }
  var number: UInt32 = 0
  for byte in bytes[index..<index + 4] {
    let digit: UInt8
    switch byte {
    case 0x30...0x39: digit = byte - 0x30
    case 0x41...0x46: digit = byte - 0x41 + 10
    case 0x61...0x66: digit = byte - 0x61 + 10
    default: return nil
    }
    number = number << 4 | UInt32(digit)
  }
  return number
}
