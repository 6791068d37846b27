import Layers
import Tensors

/// The sums of a `Tally` that the pre-training metrics are computed from, by name.
struct PretrainingTally {
  private(set) var tally: Tally

  /// The sums, in the order of `Tally.sums`.
  private enum Sum: Int, CaseIterable {
    case generatorLoss, masked, bestIsRight, sampled, sampleIsRight, reward
    case discriminatorLoss, tokens, replaced, truePositives, falsePositives
    case predictionLoss, predicted, predictedMasked, predictionIsRight
  }

  /// All sums 0.
  init() { tally = Tally(sums: Array(repeating: 0, count: Sum.allCases.count)) }
  /// The sums of `tally`, which may be empty.
  init(_ tally: Tally) { self.tally = tally.sums.isEmpty ? Self().tally : tally }

  private subscript(_ sum: Sum) -> Double {
    get { tally.sums[sum.rawValue] }
    set { tally.sums[sum.rawValue] = newValue }
  }

  /// Adds the generator's predictions at masked positions.
  mutating func add(generated outcomes: [VocabularyOutcome], _ masked: Masking.Masked) {
    for (target, outcome) in zip(masked.targets, outcomes) {
      self[.generatorLoss] += Double(outcome.loss)
      if outcome.best == target { self[.bestIsRight] += 1 }
    }
    self[.masked] += Double(outcomes.count)
  }

  /// Adds the samples at masked positions, from any kind of generator.
  mutating func add(samples: [Int32], _ masked: Masking.Masked) {
    for (target, sample) in zip(masked.targets, samples) where sample == target {
      self[.sampleIsRight] += 1
    }
    self[.sampled] += Double(samples.count)
  }

  /// Adds the rewards of samples.
  mutating func add(rewards: [Double]) {
    self[.reward] += rewards.reduce(0, +)
  }

  /// Adds the discriminator's outcome for `tokens`.
  ///
  /// A token counts as replaced if it differs from the original: a sample that equals the original
  /// token counts as original (ELECTRA, section 2).
  mutating func add(_ outcome: DiscriminatorOutcome, of tokens: [Int32], originals: [Int32]) {
    self[.discriminatorLoss] += outcome.loss
    self[.tokens] += Double(outcome.lossPositions.count)
    for t in outcome.lossPositions {
      let logit = outcome.logits[t]
      let isReplaced = tokens[t] != originals[t]
      if isReplaced {
        self[.replaced] += 1
        tally.positiveScores.append(logit)
      } else {
        tally.negativeScores.append(logit)
      }
      if logit > 0 { self[isReplaced ? .truePositives : .falsePositives] += 1 }
    }
  }

  /// Adds the predictions of the discriminator's encoder at masked positions.
  mutating func add(predicted outcomes: [VocabularyOutcome], _ masked: Masking.Masked) {
    for (target, outcome) in zip(masked.targets, outcomes) {
      self[.predictionLoss] += Double(outcome.loss)
      if outcome.best == target { self[.predictionIsRight] += 1 }
    }
    self[.predicted] += Double(outcomes.count)
    self[.predictedMasked] += Double(outcomes.count)
  }

  /// Adds the outcome of All-Tokens MLM.
  ///
  /// Losses are of all tokens. The accuracy is of masked positions only, since elsewhere the model
  /// just copies.
  mutating func add(_ outcome: AllTokensOutcome, _ masked: Masking.Masked) {
    self[.predictionLoss] += outcome.losses.reduce(0, +)
    self[.predicted] += Double(outcome.losses.count)
    for (position, target) in zip(masked.positions, masked.targets)
    where outcome.predictions[Int(position)] == target {
      self[.predictionIsRight] += 1
    }
    self[.predictedMasked] += Double(masked.positions.count)
  }

  /// The metrics of a task, in the order of the log.
  ///
  /// `weight` is the weight of the loss of the discriminator's encoder.
  func metrics(_ task: PretrainingTask, weight: Double) -> MetricValues {
    var parts: MetricValues = []
    var loss = 0.0
    if task.hasGenerator {
      let mean = self[.generatorLoss] / max(1, self[.masked])
      parts += [
        (.generatorLoss, mean),
        (.generatorAccuracy, self[.bestIsRight] / max(1, self[.masked])),
      ]
      // With policy gradients the generator's likelihood is measured but not trained.
      if task.scheme != .adversarial { loss += mean }
    }
    if task.objective.readsSamples { parts += [sampledAccuracy] }
    if task.scheme == .adversarial {
      parts += [(.generatorReward, self[.reward] / max(1, self[.sampled]))]
    }
    // In the first of two stages, training does not run the discriminator's encoder; evaluation
    // does.
    if task.objective.predicts && self[.predicted] > 0 {
      let mean = self[.predictionLoss] / max(1, self[.predicted])
      let accuracy = self[.predictionIsRight] / max(1, self[.predictedMasked])
      parts += [(.mlmLoss, mean), (.mlmAccuracy, accuracy)]
      loss += task.objective.masksAndReplaces ? mean : weight * mean
    }
    if task.objective.detects && self[.tokens] > 0 {
      parts += detectionMetrics
      if task.objective.hasDetectionLoss {
        loss += weight * (self[.discriminatorLoss] / max(1, self[.tokens]))
      }
    }
    return [(.loss, loss)] + parts
  }

  /// The metrics of a discriminator that judges given samples.
  var judgement: MetricValues { [sampledAccuracy] + detectionMetrics }

  /// The fraction of samples that equal the original token.
  private var sampledAccuracy: MetricValues.Element {
    (.sampledAccuracy, self[.sampleIsRight] / max(1, self[.sampled]))
  }

  /// The metrics of the discriminator.
  ///
  /// Skill is 1 - loss / H(f), with H(f) the entropy of the replaced fraction f: 1 for perfect
  /// detection, 0 for a prediction of f at every token, below 0 for worse.
  private var detectionMetrics: MetricValues {
    let tokens = max(1, self[.tokens])
    let loss = self[.discriminatorLoss] / tokens
    let fraction = self[.replaced] / tokens
    let positives = self[.truePositives] + self[.falsePositives]
    let correct = tokens - self[.replaced] - self[.falsePositives] + self[.truePositives]
    return [
      (.discriminatorLoss, loss),
      (.discriminatorAccuracy, correct / tokens),
      (.discriminatorAUC, tally.areaUnderCurve),
      (.discriminatorPrecision, positives > 0 ? self[.truePositives] / positives : 0),
      (.discriminatorRecall, self[.truePositives] / max(1, self[.replaced])),
      (.discriminatorSkill, 1 - loss / entropy(of: fraction)),
      (.replacedFraction, fraction),
    ]
  }
}

/// The binary entropy of `p`, in nats.
///
/// It is the smallest positive number where the entropy is 0, so that a caller may divide by it.
func entropy(of p: Double) -> Double {
  guard p > 0, p < 1 else { return .leastNonzeroMagnitude }
  return -p * naturalLogarithm(p) - (1 - p) * naturalLogarithm(1 - p)
}
