import Foundation
import Layers

// The JSON form of a line of metrics in `metrics.jsonl`: one object per line, with keys in the order of
// the values.

extension MetricsLine {
  /// The line as one JSON object.
  ///
  /// Finite numbers read back to the same value. Non-finite numbers are written as null.
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
  /// Values are sorted by name; null values are left out. The result is nil if the line is not valid
  /// JSON, has no step, or has an unknown split.
  package init?(json: Data) {
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
      let step = object[MetricName.step.rawValue] as? Int,
      let split = Split(json: object[MetricName.split.rawValue])
    else { return nil }
    self.init(step: step, split: split, tokens: object[MetricName.tokens.rawValue] as? Int)
    time = object[MetricName.time.rawValue] as? Double
    let properties = [MetricName.step, .split, .tokens, .time].map(\.rawValue)
    for name in object.keys.sorted() where !properties.contains(name) {
      if let number = object[name] as? Double {
        append(named: name, number)
      } else if let text = object[name] as? String, let name = MetricName(rawValue: name) {
        append(name, text: text)
      }
    }
  }
}

extension MetricsLine.Split {
  /// Makes `training` if the line names no split, and nil if it names an unknown one.
  fileprivate init?(json: Any?) {
    guard let json else {
      self = .training
      return
    }
    guard let name = json as? String else { return nil }
    self.init(rawValue: name)
  }
}

/// Formats a number as JSON; null if it is not finite.
package func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

/// A text as a JSON string, in quotes.
package func jsonString(_ text: String) -> String {
  (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}
