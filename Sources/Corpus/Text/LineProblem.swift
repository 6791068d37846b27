/// The reason why a line or a JSON object contains no valid text.
package enum LineProblem: Error, Equatable, CustomStringConvertible {
  /// A NUL byte.
  case binary
  /// A byte that is not part of a UTF-8 character; `position` counts from 1 in its line.
  case notUTF8(byte: UInt8, position: Int)
  /// Not exactly one JSON object.
  case notJSON
  /// An object that is too large to be kept in memory.
  case tooLarge
  /// An object without the field; its fields are `fields`.
  case noField(String, fields: [String])
  /// The field is not a string.
  case notAString(String)
  /// The field contains a lone surrogate, written as this escape sequence.
  case loneSurrogate(String, escape: String)

  package var description: String {
    switch self {
    case .binary: "a NUL byte; this is not text"
    case .notUTF8(let byte, let position):
      "byte \(position) (0x\(String(byte, radix: 16, uppercase: true))) is not UTF-8; if the file "
        + "has another encoding, convert it (iconv -f ENCODING -t UTF-8)"
    case .notJSON: "not a JSON object"
    case .tooLarge: "a JSON object of more than 64 MB"
    case .noField(let name, let fields):
      "the object has no field \"\(name)\" but \(Self.list(fields)); name the one that contains "
        + "the text with --field"
    case .notAString(let name): "the field \"\(name)\" is not a string"
    case .loneSurrogate(let name, let escape):
      "the field \"\(name)\" holds \(escape), half of a surrogate pair, which is not a character"
    }
  }

  private static func list(_ fields: [String]) -> String {
    let shown = fields.prefix(8).map { "\"\($0)\"" } + (fields.count > 8 ? ["..."] : [])
    return shown.isEmpty ? "is empty" : shown.joined(separator: ", ")
  }

  /// Checks the `bytes` of a line, which begin at its byte `offset`; nil if they are UTF-8 text.
  ///
  /// `allowsNUL` is false for a corpus, where NUL indicates binary data. It is true where the text
  /// is only tokenized, because tokenizers remove NUL like other control characters.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, offset: Int, allowsNUL: Bool = false) {
    guard let index = invalidByte(bytes, allowsNUL: allowsNUL) else { return nil }
    self =
      bytes[index] == 0 ? .binary : .notUTF8(byte: bytes[index], position: offset + index + 1)
  }
}

/// The index of the first byte that is not part of well-formed UTF-8 (Unicode, table 3-7), or of
/// the first NUL unless it is allowed; nil if there is none.
private func invalidByte(_ bytes: UnsafeBufferPointer<UInt8>, allowsNUL: Bool) -> Int? {
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
