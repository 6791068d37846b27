import Foundation

/// Walks over the entries of an object of numbers in a text that is known to be JSON. A dictionary
/// would not do: it takes letters with composed and with combining accents for the same key.
struct ObjectScanner {
  private let bytes: [UInt8]
  private var offset = 0

  /// Begins at the first object of `data`.
  init(_ data: Data) { bytes = Array(data) }

  /// Moves behind the brace of the object that is the value of the first key called `key`; false
  /// when there is none.
  mutating func skip(intoObject key: String) -> Bool {
    while skip(to: "\"") {
      if string() == key, take(":"), take("{") { return true }
    }
    return false
  }

  /// The next key with its number; nil behind the last.
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

  /// Moves behind blanks and this byte; false, behind the blanks, when another one follows.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// Moves to the next byte that is one of `characters`.
  private mutating func skip(to characters: String) -> Bool {
    let wanted = Array(characters.utf8)
    while offset < bytes.count, !wanted.contains(bytes[offset]) { offset += 1 }
    return offset < bytes.count
  }

  /// The string that begins here, and moves behind it.
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
