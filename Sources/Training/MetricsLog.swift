import Foundation

/// `metrics.jsonl` of a run: one JSON object a line, in the order of the steps.
///
/// A failure to write never ends a run; it is told once.
package final class MetricsLog {
  private let path: String
  private let warn: (String) -> Void
  private var hasWarned = false

  /// - Parameter warn: told when a line cannot be written.
  package init(path: String, warn: @escaping (String) -> Void) {
    self.path = path
    self.warn = warn
  }

  /// Adds a line; numbers are printed so that they read back to the same value, and those that JSON
  /// does not know as null.
  package func append(_ entries: [(name: String, value: Value)]) {
    let fields = entries.map { "\"\($0.name)\": \($0.value.json)" }
    let line = "{" + fields.joined(separator: ", ") + "}\n"
    do {
      if !FileManager.default.fileExists(atPath: path) {
        try Data().write(to: URL(fileURLWithPath: path))
      }
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      defer { try? file.close() }
      _ = try file.seekToEnd()
      try file.write(contentsOf: Data(line.utf8))
    } catch {
      tell(error)
    }
  }

  private func tell(_ error: any Error) {
    if !hasWarned { warn("cannot write \(path): \(error.localizedDescription)") }
    hasWarned = true
  }

  /// Removes lines of steps after `step`, and a torn last line: what a resumed run will say again.
  package func cut(afterStep step: Int) {
    guard let text = FileManager.default.contents(atPath: path) else { return }
    let lines = text.split(separator: 0x0A).filter { line in
      let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any]
      return (object?["step"] as? Int).map { $0 <= step } ?? false
    }
    var kept = Data()
    for line in lines { kept += line + [0x0A] }
    guard kept != text else { return }
    do { try kept.write(to: URL(fileURLWithPath: path), options: .atomic) } catch { tell(error) }
  }

  /// What a line can hold.
  package enum Value: Sendable {
    case number(Double)
    case count(Int)
    case text(String)

    fileprivate var json: String {
      switch self {
      case .number(let value): value.isFinite ? "\(value)" : "null"
      case .count(let value): "\(value)"
      case .text(let value):
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
      }
    }
  }
}
