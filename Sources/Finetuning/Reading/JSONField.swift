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

  /// Whether the file holds JSON objects, judged by its name or its beginning.
  ///
  /// A row of a `.csv` file may begin with a brace: there the first line must be a whole object.
  var holdsObjects: Bool {
    if Self.isNamed(path, [".jsonl", ".ndjson", ".json"]) { return true }
    if !isCSV && TextForm(contents, path: path) == .jsonObjects { return true }
    guard let line = firstLine(where: { !$0.isBlank }),
      line.trimmed.first == UInt8(ascii: "{")
    else { return false }
    return (try? JSONDecoder().decode([String: JSONField?].self, from: Data(line))) != nil
  }

  /// Calls `body` with the line number and the fields of each object.
  ///
  /// Objects are one per line, or on any number of lines, in sequence or in an array. Skips blank
  /// lines and null fields. Throws `notJSON` and what `body` throws.
  func forEachObject(_ body: (Int, [String: JSONField]) throws -> Void) throws {
    let decoder = JSONDecoder()
    func pass(_ object: Data, _ line: Int) throws {
      guard let fields = try? decoder.decode([String: JSONField?].self, from: object) else {
        throw FinetuningError.notJSON(path: path, line: line)
      }
      try body(line, fields.compactMapValues(\.self))
    }
    if TextForm(contents, path: path) == .jsonObjects {
      var cutter = RecordCutter(.jsonObjects, limit: .max)
      cutter.bytes = contents
      try cutter.cut(atEnd: true) { try pass(Data($0.bytes), $0.line) }
    } else {
      try forEachLine { number, line in if !line.isBlank { try pass(Data(line), number) } }
    }
  }

  /// The fields of the first object; nil if there is none or it is malformed.
  var firstObject: [String: JSONField]? {
    struct Found: Error { let fields: [String: JSONField] }
    do {
      try forEachObject { throw Found(fields: $1) }
    } catch let found as Found {
      return found.fields
    } catch {}
    return nil
  }
}
