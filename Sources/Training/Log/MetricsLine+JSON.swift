import Foundation
import Layers

// A line of metrics as a line of `metrics.jsonl`: one object, whose keys are written in the order of
// the line.

extension MetricsLine {
  /// The line as one JSON object.
  ///
  /// Numbers are printed so that they read back to the same value, and those that are not finite as
  /// null.
  package var json: String {
    var fields = [Self.field(.step, "\(step)")]
    if split != .training { fields.append(Self.field(.split, jsonString(split.rawValue))) }
    if let tokens { fields.append(Self.field(.tokens, "\(tokens)")) }
    for value in values {
      let isCount = MetricName(rawValue: value.name)?.isCount == true
      let count = isCount ? Int(exactly: value.number) : nil
      fields.append(
        "\(jsonString(value.name)): \(count.map(String.init) ?? jsonNumber(value.number))")
    }
    fields += texts.map { Self.field($0.name, jsonString($0.text)) }
    if let time { fields.append(Self.field(.time, jsonNumber(time))) }
    return "{\(fields.joined(separator: ", "))}"
  }

  private static func field(_ name: MetricName, _ value: String) -> String {
    "\"\(name.rawValue)\": \(value)"
  }

  /// Reads a line of `metrics.jsonl`.
  ///
  /// Values come in the order of their names, and those that are null are missing. Nil for a line that
  /// is torn, has no step or is of a split that this program does not know.
  package init?(json: Data) {
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
      let step = object[MetricName.step.rawValue] as? Int,
      let split = Split(json: object[MetricName.split.rawValue])
    else { return nil }
    self.init(step: step, split: split, tokens: object[MetricName.tokens.rawValue] as? Int)
    time = object[MetricName.time.rawValue] as? Double
    let placed = [MetricName.step, .split, .tokens, .time].map(\.rawValue)
    for name in object.keys.sorted() where !placed.contains(name) {
      if let number = object[name] as? Double {
        append(named: name, number)
      } else if let text = object[name] as? String, let name = MetricName(rawValue: name) {
        append(name, text: text)
      }
    }
  }
}

extension MetricsLine.Split {
  /// Training where the line names no split; nil for one that is unknown.
  fileprivate init?(json: Any?) {
    guard let json else {
      self = .training
      return
    }
    guard let name = json as? String else { return nil }
    self.init(rawValue: name)
  }
}

/// A number as JSON; null where it is not finite.
package func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

/// A text as a JSON string, in quotes.
package func jsonString(_ text: String) -> String {
  (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}
