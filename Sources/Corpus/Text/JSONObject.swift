/// Reads one field of a JSON object and no other: numbers of any size and halves of surrogate pairs do
/// no harm where nobody reads them.
///
///     try JSONObject.text(of: "text", in: bytes)
///
/// The bytes are UTF-8. The grammar is RFC 8259's, but for control characters in strings, which are
/// taken as they are.
struct JSONObject {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  /// How deep lists and objects may lie in each other.
  private static let deepest = 512

  private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The UTF-8 of a field that holds a string; the last one if it appears twice.
  static func text(
    of field: String, in bytes: UnsafeBufferPointer<UInt8>
  ) throws(LineProblem) -> [UInt8] {
    let name = Array(field.utf8)
    var value: Range<Int>?
    var reader = Self(bytes)
    let isObject = reader.readObject(depth: 0) { key, range in
      let isNamed =
        bytes[key].contains(backslash)
        ? (try? decoded(key, of: bytes)) == name : bytes[key].elementsEqual(name)
      if isNamed { value = range }
    }
    guard isObject, reader.isAtEnd else { throw .notJSON }
    guard let value else { throw .noField(field, fields: fields(of: bytes)) }
    guard bytes[value.lowerBound] == quote else { throw .notAString(field) }
    do {
      return try decoded(value.lowerBound + 1..<value.upperBound - 1, of: bytes)
    } catch {
      throw .loneSurrogate(field, escape: error.escape)
    }
  }

  /// The names of all fields of an object.
  private static func fields(of bytes: UnsafeBufferPointer<UInt8>) -> [String] {
    var names: [String] = []
    var reader = Self(bytes)
    _ = reader.readObject(depth: 0) { key, _ in
      names.append(String(decoding: bytes[key], as: UTF8.self))
    }
    return names
  }

  private static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// Whether nothing but white space is left.
  private var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return index == bytes.count
    }
  }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default: return
      }
    }
  }

  /// Passes over `byte` and the space before it, if it comes next.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == UInt8(ascii: byte) else { return false }
    index += 1
    return true
  }

  /// Passes over an object; `body` gets the range of each name, without quotation marks, and that of
  /// its value. False where the grammar is broken.
  private mutating func readObject(
    depth: Int, _ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void
  ) -> Bool {
    guard depth < Self.deepest, take("{") else { return false }
    if take("}") { return true }
    repeat {
      skipSpace()
      let name = index
      guard readString() else { return false }
      let end = index
      guard take(":") else { return false }
      skipSpace()
      let value = index
      guard readValue(depth: depth) else { return false }
      body(name + 1..<end - 1, value..<index)
    } while take(",")
    return take("}")
  }

  private mutating func readList(depth: Int) -> Bool {
    guard depth < Self.deepest, take("[") else { return false }
    if take("]") { return true }
    repeat {
      guard readValue(depth: depth) else { return false }
    } while take(",")
    return take("]")
  }

  private mutating func readValue(depth: Int) -> Bool {
    skipSpace()
    guard index < bytes.count else { return false }
    switch bytes[index] {
    case Self.quote: return readString()
    case UInt8(ascii: "{"): return readObject(depth: depth + 1) { _, _ in }
    case UInt8(ascii: "["): return readList(depth: depth + 1)
    case UInt8(ascii: "t"): return readWord("true")
    case UInt8(ascii: "f"): return readWord("false")
    case UInt8(ascii: "n"): return readWord("null")
    default: return readNumber()
    }
  }

  private mutating func readWord(_ word: StaticString) -> Bool {
    let end = index + word.utf8CodeUnitCount
    guard end <= bytes.count,
      bytes[index..<end].elementsEqual(
        UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    else { return false }
    index = end
    return true
  }

  private mutating func readNumber() -> Bool {
    _ = take("-")
    let whole = index
    guard readDigits(), bytes[whole] != UInt8(ascii: "0") || index == whole + 1 else {
      return false
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      index += 1
      guard readDigits() else { return false }
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < bytes.count, [0x2B, 0x2D].contains(bytes[index]) { index += 1 }
      guard readDigits() else { return false }
    }
    return true
  }

  private mutating func readDigits() -> Bool {
    let start = index
    while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
    return index > start
  }

  /// Passes over a string with its quotation marks.
  private mutating func readString() -> Bool {
    guard index < bytes.count, bytes[index] == Self.quote else { return false }
    index += 1
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == Self.quote { return true }
      if byte == Self.backslash && !readEscape() { return false }
    }
    return false
  }

  /// Passes over an escape behind its backslash.
  private mutating func readEscape() -> Bool {
    guard index < bytes.count else { return false }
    let byte = bytes[index]
    index += 1
    if byte == UInt8(ascii: "u") {
      guard hexadecimal(bytes, at: index) != nil else { return false }
      index += 4
      return true
    }
    return shortEscape(byte) != nil
  }
}
