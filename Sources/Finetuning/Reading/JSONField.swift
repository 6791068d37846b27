import Foundation
import Platform

/// The value of a field in a JSON line, reduced to the kinds that examples use.
enum JSONField: Decodable, Equatable {
  /// A string, number or Boolean, as text.
  case text(String)
  case list([JSONField])
  /// An object, a null in a list, or a number that is out of range for `Double`.
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let truth = try? container.decode(Bool.self) {
      self = .text(truth ? "true" : "false")
    } else if let number = try? container.decode(Int.self) {
      self = .text(String(number))
    } else if let number = try? container.decode(Double.self) {
      self = .text(String(number))
    } else if let list = try? container.decode([JSONField].self) {
      self = .list(list)
    } else {
      self = .other
    }
  }

  /// The text; nil for a list or any other value.
  var text: String? {
    if case .text(let text) = self { text } else { nil }
  }

  /// The elements of a list of texts; nil for any other value.
  var texts: [String]? {
    guard case .list(let fields) = self else { return nil }
    let texts = fields.compactMap(\.text)
    return texts.count == fields.count ? texts : nil
  }
}

extension TextFile {
  /// Opens a task's file, or uses its content in memory.
  ///
  /// Throws what `init(path:)` throws.
  init(_ file: TaskFile) throws {
    if let contents = file.contents {
      self.init(path: file.path, contents: contents)
    } else {
      try self.init(path: file.path)
    }
  }

  /// Whether the file holds a JSON object per line, judged by its name or its first line.
  var holdsObjects: Bool {
    if Self.isNamed(path, [".jsonl", ".ndjson", ".json"]) { return true }
    guard let line = firstLine(where: { !$0.isBlank }),
      line.trimmed.first == UInt8(ascii: "{")
    else { return false }
    return (try? JSONDecoder().decode([String: JSONField?].self, from: Data(line))) != nil
  }

  /// Calls `body` with the line number and the fields of each object.
  ///
  /// Skips blank lines and null fields. Throws `notJSON` and what `body` throws.
  func forEachObject(_ body: (Int, [String: JSONField]) throws -> Void) throws {
    let decoder = JSONDecoder()
    try forEachLine { number, line in
      if line.isBlank { return }
      guard let fields = try? decoder.decode([String: JSONField?].self, from: Data(line)) else {
        throw FinetuningError.notJSON(path: path, line: number)
      }
      try body(number, fields.compactMapValues(\.self))
    }
  }
}
