/// One line of a run's metrics: what was measured after a step, on which split.
///
///     var line = MetricsLine(step: 100, split: .training, tokens: 204_800)
///     line.append(.loss, 8.25)
///     line[.loss]                                       // 8.25
///
/// `metrics.jsonl`, TensorBoard's event files, the health monitor, reports and model cards all
/// derive from this value.
package struct MetricsLine: Sendable, Equatable {
  /// What was measured.
  package enum Split: String, Sendable {
    /// Training steps since the previous line; `metrics.jsonl` writes no split for it.
    case training
    /// The held-out examples.
    case heldOut = "held_out"
    /// No measurement: the line is a warning about the run's health.
    case health
  }

  /// A metric and its value; NaN or infinite where the metric is undefined.
  package struct Value: Sendable, Equatable {
    package let name: String
    package let number: Double
  }

  /// A text with its name.
  package struct Text: Sendable, Equatable {
    package let name: MetricName
    package let text: String
  }

  /// The number of completed steps.
  package let step: Int
  /// The examples that were measured.
  package let split: Split
  /// The number of training tokens so far; nil where the line has none.
  package let tokens: Int?
  /// The metrics in the order in which they were appended.
  package private(set) var values: [Value] = []
  /// The texts in the order in which they were appended.
  package private(set) var texts: [Text] = []
  /// When the line was written, in seconds since 1970; nil for a line that was not written.
  package var time: Double?

  package init(step: Int, split: Split, tokens: Int? = nil) {
    (self.step, self.split, self.tokens) = (step, split, tokens)
  }

  /// Appends a metric.
  package mutating func append(_ name: MetricName, _ number: Double) {
    append(named: name.rawValue, number)
  }

  /// Appends a metric without a `MetricName`, such as a fine-tuning score.
  package mutating func append(named name: String, _ number: Double) {
    values.append(Value(name: name, number: number))
  }

  /// Appends metrics in their order.
  package mutating func append(_ metrics: MetricValues) {
    for (name, value) in metrics { append(name, value) }
  }

  /// Appends a text.
  package mutating func append(_ name: MetricName, text: String) {
    texts.append(Text(name: name, text: text))
  }

  /// The value of a metric; nil if it is missing or not finite.
  package subscript(name: MetricName) -> Double? { self[named: name.rawValue] }

  /// The value of the metric with this name; nil if it is missing or not finite.
  package subscript(named name: String) -> Double? {
    values.first { $0.name == name && $0.number.isFinite }?.number
  }

  /// The text with this name; nil if it is missing.
  package func text(_ name: MetricName) -> String? { texts.first { $0.name == name }?.text }
}
