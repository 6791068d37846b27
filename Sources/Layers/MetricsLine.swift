/// Every name that a line of metrics can hold, as `metrics.jsonl` spells it.
package enum MetricName: String, Sendable, CaseIterable {
  // Where a line belongs.
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
  // An encoder that predicts tokens.
  case mlmLoss = "mlm_loss"
  case mlmAccuracy = "mlm_accuracy"
  // The discriminator.
  case discriminatorLoss = "discriminator_loss"
  case discriminatorAccuracy = "discriminator_accuracy"
  case discriminatorAUC = "discriminator_auc"
  case discriminatorPrecision = "discriminator_precision"
  case discriminatorRecall = "discriminator_recall"
  case discriminatorSkill = "discriminator_skill"
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
  // Texts of a line about health.
  case verdict, severity, sentence

  /// The name of a fine-tuning score: `dev_accuracy`.
  package static func score(_ metric: String, of split: String) -> String { "\(split)_\(metric)" }

  /// The name as words: "generator loss".
  package var words: String { Self.words(rawValue) }

  /// The name of any metric as words.
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
/// `metrics.jsonl`, TensorBoard's event files, the judgement of a run's health, reports and model cards
/// all follow from this value.
package struct MetricsLine: Sendable, Equatable {
  /// What was measured.
  package enum Split: String, Sendable {
    /// Training steps since the line before; `metrics.jsonl` names no split here.
    case training
    case heldOut = "held_out"
    /// Nothing: the line says what is wrong with the run.
    case health
  }

  /// A metric and its value, which is NaN or infinite where it is undefined.
  package struct Value: Sendable, Equatable {
    package let name: String
    package let number: Double
  }

  /// A text and its name.
  package struct Text: Sendable, Equatable {
    package let name: MetricName
    package let text: String
  }

  /// The steps done.
  package let step: Int
  package let split: Split
  /// The tokens seen; nil where the line does not say.
  package let tokens: Int?
  /// The metrics, in the order in which they were added.
  package private(set) var values: [Value] = []
  package private(set) var texts: [Text] = []
  /// When the line was written, in seconds since 1970; nil for one that was not.
  package var time: Double?

  package init(step: Int, split: Split, tokens: Int? = nil) {
    (self.step, self.split, self.tokens) = (step, split, tokens)
  }

  /// Adds a metric.
  package mutating func append(_ name: MetricName, _ number: Double) {
    append(named: name.rawValue, number)
  }

  /// Adds a metric that has no `MetricName`, such as a score of fine-tuning.
  package mutating func append(named name: String, _ number: Double) {
    values.append(Value(name: name, number: number))
  }

  /// Adds metrics in their order.
  package mutating func append(_ metrics: MetricValues) {
    for (name, value) in metrics { append(name, value) }
  }

  /// Adds a text.
  package mutating func append(_ name: MetricName, text: String) {
    texts.append(Text(name: name, text: text))
  }

  /// The value of a metric; nil where it is missing or not finite.
  package subscript(name: MetricName) -> Double? { self[named: name.rawValue] }

  /// The value of the metric of that name; nil where it is missing or not finite.
  package subscript(named name: String) -> Double? {
    values.first { $0.name == name && $0.number.isFinite }?.number
  }

  /// The text of that name; nil where it is missing.
  package func text(_ name: MetricName) -> String? { texts.first { $0.name == name }?.text }
}
