import Foundation

/// Iterates over the entries of a JSON object of integers.
///
/// The text must be valid JSON. A Swift dictionary is no alternative, because it treats canonically
/// equivalent keys (composed and combining accents) as equal.
struct ObjectScanner {
  private let bytes: [UInt8]
  private var offset = 0

  /// Creates a scanner at the start of `data`.
  init(_ data: Data) { bytes = Array(data) }

  /// Skips to the first entry of the first object that is a value of `key`; false if there is none.
  mutating func skip(intoObject key: String) -> Bool {
    while skip(to: "\"") {
      if string() == key, take(":"), take("{") { return true }
    }
    return false
  }

  /// The next key with its number; nil after the last.
  mutating func next() -> (String, Int)? {
    guard skip(to: "\"}"), bytes[offset] == UInt8(ascii: "\""), let key = string(),
      skip(to: "-0123456789")
    else { return nil }
    let start = offset
    while offset < bytes.count, bytes[offset] != UInt8(ascii: ","),
      bytes[offset] != UInt8(ascii: "}")
    {
      offset += 1
    }
    let number = String(decoding: bytes[start..<offset], as: UTF8.self)
    return Int(number.trimmingCharacters(in: .whitespacesAndNewlines)).map { (key, $0) }
  }

  /// Skips white space and `character`; returns false if another character follows the white space.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// Skips to the next byte in `characters`; returns false at the end.
  private mutating func skip(to characters: String) -> Bool {
    let wanted = Array(characters.utf8)
    while offset < bytes.count, !wanted.contains(bytes[offset]) { offset += 1 }
    return offset < bytes.count
  }

  /// Reads the string that begins at the current offset; nil if it is malformed.
  private mutating func string() -> String? {
    let start = offset
    offset += 1
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
      offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
    }
    offset = min(offset + 1, bytes.count)
    return try? JSONDecoder().decode(String.self, from: Data(bytes[start..<offset]))
  }
}
