/// Reads one field of a JSON object and skips all others without decoding them.
///
/// So numbers of any size and lone surrogates in other fields are accepted.
///
///     try JSONObject.text(of: "text", in: bytes)
///
/// The bytes are UTF-8. The grammar is that of RFC 8259, except that strings may contain control
/// characters, and that NaN, Infinity and -Infinity are numbers: Python's `json` writes them.
struct JSONObject {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  /// The maximum nesting depth of lists and objects, which bounds the recursion.
  private static let maximumDepth = 512

  private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The UTF-8 of the string in `field`; the last one if the field appears twice.
  ///
  /// Throws `notJSON`, `noField`, `notAString` or `loneSurrogate`.
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

  /// Whether only white space is left; skips it.
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

  /// Skips white space, then `byte` if it comes next; returns whether it did.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == UInt8(ascii: byte) else { return false }
    index += 1
    return true
  }

  /// Skips an object and calls `body` with the ranges of each name and value.
  ///
  /// The range of a name excludes the quotation marks; that of a string value includes them.
  /// Returns false at a syntax error.
  private mutating func readObject(
    depth: Int, _ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void
  ) -> Bool {
    guard depth < Self.maximumDepth, take("{") else { return false }
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
    guard depth < Self.maximumDepth, take("[") else { return false }
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
    case UInt8(ascii: "N"): return readWord("NaN")
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
    if index < bytes.count, bytes[index] == UInt8(ascii: "I") { return readWord("Infinity") }
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

  /// Skips a string with its quotation marks.
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

  /// Skips an escape sequence, starting after its backslash.
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
