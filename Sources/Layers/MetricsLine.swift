/// The names of metrics, as `metrics.jsonl` spells them.
package enum MetricName: String, Sendable, CaseIterable {
  // What a line belongs to.
  case step, split, tokens, seconds, time, examples, epoch
  // Pre-training and fine-tuning.
  case loss
  case gradientNorm = "gradient_norm"
  case learningRate = "learning_rate"
  // The generator and its samples.
  case generatorLoss = "generator_loss"
  case generatorAccuracy = "generator_accuracy"
  case generatorReward = "generator_reward"
  case sampledAccuracy = "sampled_accuracy"
  case replacedFraction = "replaced_fraction"
  // A discriminator encoder that predicts tokens.
  case mlmLoss = "mlm_loss"
  case mlmAccuracy = "mlm_accuracy"
  // The discriminator.
  case discriminatorLoss = "discriminator_loss"
  case discriminatorAccuracy = "discriminator_accuracy"
  case discriminatorAUC = "discriminator_auc"
  case discriminatorPrecision = "discriminator_precision"
  case discriminatorRecall = "discriminator_recall"
  case discriminatorSkill = "discriminator_skill"
  // Minimal pairs.
  case pairAccuracy = "pair_accuracy"
  // Speed.
  case tokensPerSecond = "tokens_per_second"
  case communicationFraction = "communication_fraction"
  case inputFraction = "input_fraction"
  case evaluationFraction = "evaluation_fraction"
  case checkpointFraction = "checkpoint_fraction"
  // Seconds per step of the ranks, where there are several.
  case rankSecondsFastest = "rank_seconds_fastest"
  case rankSecondsMedian = "rank_seconds_median"
  case rankSecondsSlowest = "rank_seconds_slowest"
  case slowestRank = "slowest_rank"
  // Texts of a line about health, and the checksum of fixed samples.
  case verdict, severity, sentence
  case samplesChecksum = "samples_crc32c"

  /// The name of a fine-tuning score: `dev_accuracy`.
  package static func score(_ metric: String, of split: String) -> String { "\(split)_\(metric)" }

  /// The name with spaces: "generator loss".
  package var words: String { Self.words(rawValue) }

  /// The name of any metric with spaces.
  package static func words(_ name: String) -> String {
    String(name.map { $0 == "_" ? " " : $0 })
  }

  /// Whether the value is a count, which JSON writes without a decimal point.
  package var isCount: Bool { [.examples, .epoch, .slowestRank].contains(self) }
}

/// Metrics with their names, in the order of the log.
package typealias MetricValues = [(name: MetricName, value: Double)]

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
