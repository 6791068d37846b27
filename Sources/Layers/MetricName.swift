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
