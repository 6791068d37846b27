import Foundation
import Layers

// The JSON form of a line of metrics in `metrics.jsonl`: one object per line, with keys in the
// order of the values.

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
  /// Values are sorted by name; null values are left out. The result is nil if the line is not
  /// valid JSON, has no step, or has an unknown split.
  package init?(json: Data) {
    // JSONSerialization rounds numbers of more than 17 digits twice.
    guard let fields = try? JSONDecoder().decode([String: Field].self, from: json),
      let step = fields[MetricName.step.rawValue]?.count
    else { return nil }
    var split = Split.training
    if let field = fields[MetricName.split.rawValue] {
      guard let named = field.text.flatMap(Split.init) else { return nil }
      split = named
    }
    self.init(step: step, split: split, tokens: fields[MetricName.tokens.rawValue]?.count)
    time = fields[MetricName.time.rawValue]?.number
    let properties = [MetricName.step, .split, .tokens, .time].map(\.rawValue)
    for (name, field) in fields.sorted(by: { $0.key < $1.key }) where !properties.contains(name) {
      if let number = field.number {
        append(named: name, number)
      } else if let text = field.text, let name = MetricName(rawValue: name) {
        append(name, text: text)
      }
    }
  }

  /// The value of a key: a number or a text; neither for null and for what other programs may add.
  private struct Field: Decodable {
    var number: Double?
    var text: String?

    /// The number where it is a whole one.
    var count: Int? { number.flatMap(Int.init(exactly:)) }

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() { return }
      number = try? value.decode(Double.self)
      if number == nil { text = try? value.decode(String.self) }
    }
  }
}

/// Formats a number as JSON; null if it is not finite.
package func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

/// A text as a JSON string, in quotes.
package func jsonString(_ text: String) -> String {
  (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}
