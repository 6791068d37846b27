import Foundation
import Layers
import Platform

// The JSON form of a line of metrics in `metrics.jsonl`: one object per line, with keys in the
// order of the values.

extension MetricsLine {
  /// The line as one JSON object.
  ///
  /// Finite numbers read back to the same value. Non-finite numbers are written as null.
  package var json: String {
    var fields: [(key: String, value: JSONText)] = []
    func add(_ name: MetricName, _ value: JSONText) {
      fields.append((key: name.rawValue, value: value))
    }
    add(.step, .number(step))
    if split != .training { add(.split, .string(split.rawValue)) }
    if let tokens { add(.tokens, .number(tokens)) }
    for value in values {
      let isCount = MetricName(rawValue: value.name)?.isCount == true
      let count = isCount ? Int(exactly: value.number) : nil
      let number = count.map { JSONText.number($0) } ?? JSONText.number(orNull: value.number)
      fields.append((key: value.name, value: number))
    }
    for entry in texts { add(entry.name, .string(entry.text)) }
    if let time { add(.time, .number(orNull: time)) }
    return JSONText.object(fields).spacedText
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
