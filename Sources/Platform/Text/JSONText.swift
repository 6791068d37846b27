import Foundation

/// A JSON value whose members keep their order, for formats with a fixed order.
///
///     let header: JSONText = ["dtype": "F32", "shape": [3, 4]]
///     header.text          // {"dtype":"F32","shape":[3,4]}
///     header.spacedText    // {"dtype": "F32", "shape": [3, 4]}
///
/// For `Codable` values use `json()` and `jsonDocument()`, which sort the keys.
package enum JSONText: Sendable {
  case null
  case flag(Bool)
  /// A number, as the text to write.
  case number(String)
  case string(String)
  case array([JSONText])
  case object([(key: String, value: JSONText)])
  /// An array or object with one member per line, indented by two spaces per level.
  indirect case lines(JSONText)

  /// The value without spaces, except for the indentation of `lines`.
  package var text: String { text(separator: ",", colon: ":", level: 0) }

  /// The value with a space after each comma and colon.
  package var spacedText: String { text(separator: ", ", colon: ": ", level: 0) }

  private func text(separator: String, colon: String, level: Int, breaksLines: Bool = false)
    -> String
  {
    func text(_ value: JSONText) -> String {
      value.text(separator: separator, colon: colon, level: level + (breaksLines ? 1 : 0))
    }
    func list(_ open: String, _ members: [String], _ close: String) -> String {
      guard breaksLines, !members.isEmpty else {
        return open + members.joined(separator: separator) + close
      }
      let indent = "\n" + String(repeating: "  ", count: level)
      return open + members.map { indent + "  " + $0 }.joined(separator: ",") + indent + close
    }
    switch self {
    case .null: return "null"
    case .flag(let value): return value ? "true" : "false"
    case .number(let text): return text
    case .string(let text): return Self.quoted(text)
    case .array(let values): return list("[", values.map(text), "]")
    case .object(let members):
      return list("{", members.map { Self.quoted($0.key) + colon + text($0.value) }, "}")
    case .lines(let value):
      return value.text(separator: separator, colon: colon, level: level, breaksLines: true)
    }
  }

  private static let encoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return encoder
  }()

  /// `text` in quotation marks, escaped.
  private static func quoted(_ text: String) -> String {
    // Encoding a string cannot fail.
    (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}

extension JSONText: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .number("\(value)") }
  package init(booleanLiteral value: Bool) { self = .flag(value) }
  package init(nilLiteral: ()) { self = .null }
  package init(arrayLiteral elements: JSONText...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONText)...) {
    self = .object(elements.map { (key: $0, value: $1) })
  }

  /// An integer.
  package static func number(_ value: some BinaryInteger) -> JSONText { .number("\(value)") }

  /// A number that reads back to the same value; null if it is not finite.
  package static func number(orNull value: Double) -> JSONText {
    value.isFinite ? .number("\(value)") : .null
  }
}
