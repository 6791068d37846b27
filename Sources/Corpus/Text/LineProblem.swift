/// Why a line, or a JSON object, gives no text.
package enum LineProblem: Error, Equatable, CustomStringConvertible {
  /// A NUL byte.
  case binary
  /// A byte, from 1 in its line, that begins no character of UTF-8.
  case notUTF8(byte: UInt8, position: Int)
  /// Not one whole JSON object.
  case notJSON
  /// An object above what is kept in memory.
  case tooLarge
  /// An object without the field; it has `fields`.
  case noField(String, fields: [String])
  /// The field is no string.
  case notAString(String)
  /// The field's string holds one half of a surrogate pair, as this escape.
  case loneSurrogate(String, escape: String)

  package var description: String {
    switch self {
    case .binary: "a NUL byte; this is no text"
    case .notUTF8(let byte, let position):
      "byte \(position) (0x\(String(byte, radix: 16, uppercase: true))) is not UTF-8; if the file has "
        + "another encoding, convert it (iconv -f ENCODING -t UTF-8)"
    case .notJSON: "not a JSON object"
    case .tooLarge: "a JSON object of more than 64 MB"
    case .noField(let name, let fields):
      "the object has no field \"\(name)\" but \(Self.list(fields)); name the one that holds the text "
        + "with --field"
    case .notAString(let name): "the field \"\(name)\" is not a string"
    case .loneSurrogate(let name, let escape):
      "the field \"\(name)\" holds \(escape), half of a surrogate pair, which is no character"
    }
  }

  private static func list(_ fields: [String]) -> String {
    let shown = fields.prefix(8).map { "\"\($0)\"" } + (fields.count > 8 ? ["..."] : [])
    return shown.isEmpty ? "is empty" : shown.joined(separator: ", ")
  }

  /// What is wrong with `bytes` of a line from its byte `offset` on; nil when they are UTF-8 text.
  ///
  /// - Parameter allowsNUL: whether NUL is text too: a corpus that has it is no text, but a tokenizer
  ///   leaves it out as it does other control characters.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, offset: Int, allowsNUL: Bool = false) {
    guard let index = invalidByte(bytes, allowsNUL: allowsNUL) else { return nil }
    self =
      bytes[index] == 0 ? .binary : .notUTF8(byte: bytes[index], position: offset + index + 1)
  }
}

/// Where `bytes` cease to be well-formed UTF-8 (Unicode, table 3-7), without NUL unless it is allowed; nil
/// if nowhere.
func invalidByte(_ bytes: UnsafeBufferPointer<UInt8>, allowsNUL: Bool = false) -> Int? {
  var index = 0
  while index < bytes.count {
    let byte = bytes[index]
    if byte == 0 && !allowsNUL { return index }
    if byte < 0x80 {
      index += 1
      continue
    }
    let (length, lowest, highest): (Int, UInt8, UInt8)
    switch byte {
    case 0xC2...0xDF: (length, lowest, highest) = (2, 0x80, 0xBF)
    case 0xE0: (length, lowest, highest) = (3, 0xA0, 0xBF)
    case 0xED: (length, lowest, highest) = (3, 0x80, 0x9F)
    case 0xE1...0xEF: (length, lowest, highest) = (3, 0x80, 0xBF)
    case 0xF0: (length, lowest, highest) = (4, 0x90, 0xBF)
    case 0xF1...0xF3: (length, lowest, highest) = (4, 0x80, 0xBF)
    case 0xF4: (length, lowest, highest) = (4, 0x80, 0x8F)
    default: return index
    }
    guard index + length <= bytes.count, (lowest...highest).contains(bytes[index + 1]),
      bytes[(index + 2)..<(index + length)].allSatisfy({ $0 & 0xC0 == 0x80 })
    else { return index }
    index += length
  }
  return nil
}
