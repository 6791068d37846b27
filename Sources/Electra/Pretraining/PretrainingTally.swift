import Layers
import Tensors

/// The sums behind the pre-training metrics, with names.
struct PretrainingTally {
  private(set) var tally: Tally

  /// The order of the sums.
  private enum Sum: Int, CaseIterable {
    case generatorLoss, masked, bestIsRight, sampled, sampleIsRight, reward
    case discriminatorLoss, tokens, replaced, truePositives, falsePositives
    case predictionLoss, predicted, drawn, predictionIsRight
  }

  init() { tally = Tally(sums: Array(repeating: 0, count: Sum.allCases.count)) }
  init(_ tally: Tally) { self.tally = tally.sums.isEmpty ? Self().tally : tally }

  private subscript(_ sum: Sum) -> Double {
    get { tally.sums[sum.rawValue] }
    set { tally.sums[sum.rawValue] = newValue }
  }

  /// Counts what the generator says at masked positions.
  mutating func add(generated outcomes: [VocabularyOutcome], _ masked: Masking.Masked) {
    for (target, outcome) in zip(masked.targets, outcomes) {
      self[.generatorLoss] += Double(outcome.loss)
      if outcome.best == target { self[.bestIsRight] += 1 }
    }
    self[.masked] += Double(outcomes.count)
  }

  /// Counts the samples at masked positions, whatever drew them.
  mutating func add(samples: [Int32], _ masked: Masking.Masked) {
    for (target, sample) in zip(masked.targets, samples) where sample == target {
      self[.sampleIsRight] += 1
    }
    self[.sampled] += Double(samples.count)
  }

  /// Counts what samples earned from the discriminator.
  mutating func add(rewards: [Double]) {
    self[.reward] += rewards.reduce(0, +)
  }

  /// Counts what the discriminator says of `tokens`.
  ///
  /// A token is replaced when it differs from the
  /// original: a sample that is right counts as original (ELECTRA, section 2).
  mutating func add(_ verdict: DiscriminatorOutcome, of tokens: [Int32], originals: [Int32]) {
    self[.discriminatorLoss] += verdict.loss
    self[.tokens] += Double(verdict.judged.count)
    for t in verdict.judged {
      let logit = verdict.logits[t]
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

  /// Counts what the large encoder says at masked positions.
  mutating func add(predicted outcomes: [VocabularyOutcome], _ masked: Masking.Masked) {
    for (target, outcome) in zip(masked.targets, outcomes) {
      self[.predictionLoss] += Double(outcome.loss)
      if outcome.best == target { self[.predictionIsRight] += 1 }
    }
    self[.predicted] += Double(outcomes.count)
    self[.drawn] += Double(outcomes.count)
  }

  /// Counts what the large encoder says of all tokens: losses everywhere, answers at drawn positions,
  /// since elsewhere it only has to copy.
  mutating func add(_ outcome: RestorationOutcome, _ masked: Masking.Masked) {
    self[.predictionLoss] += outcome.losses.reduce(0, +)
    self[.predicted] += Double(outcome.losses.count)
    for (position, target) in zip(masked.positions, masked.targets)
    where outcome.answers[Int(position)] == target {
      self[.predictionIsRight] += 1
    }
    self[.drawn] += Double(masked.positions.count)
  }

  /// The metrics that a task has, in the order of the log; `weight` is that of the large encoder's loss.
  func metrics(_ task: PretrainingTask, weight: Double) -> MetricValues {
    var parts: MetricValues = []
    var loss = 0.0
    if task.hasGenerator {
      let mean = self[.generatorLoss] / max(1, self[.masked])
      parts += [
        (.generatorLoss, mean),
        (.generatorAccuracy, self[.bestIsRight] / max(1, self[.masked])),
      ]
      // A generator that learns by policy gradient has no loss of its own.
      if task.scheme != .adversarial { loss += mean }
    }
    if task.objective.readsSamples {
      parts += [(.sampledAccuracy, self[.sampleIsRight] / max(1, self[.sampled]))]
    }
    if task.scheme == .adversarial {
      parts += [(.generatorReward, self[.reward] / max(1, self[.sampled]))]
    }
    // In its first stage a run has nothing to say of the large encoder; only evaluations, which know no
    // stages, measure it then.
    if task.objective.predicts && self[.predicted] > 0 {
      let mean = self[.predictionLoss] / max(1, self[.predicted])
      let accuracy = self[.predictionIsRight] / max(1, self[.drawn])
      parts += [(.mlmLoss, mean), (.mlmAccuracy, accuracy)]
      loss += weight * mean
    }
    if task.objective.detects && self[.tokens] > 0 {
      parts += detectionMetrics
      // Of a model that restores tokens the gate is judged, but not trained, as a discriminator.
      if !task.objective.predicts {
        loss += weight * (self[.discriminatorLoss] / max(1, self[.tokens]))
      }
    }
    return [(.loss, loss)] + parts
  }

  /// Skill is 1 - loss / H(f), with H(f) the entropy of the replaced fraction: 0 for a discriminator
  /// that says the same of every token.
  private var detectionMetrics: MetricValues {
    let tokens = max(1, self[.tokens])
    let loss = self[.discriminatorLoss] / tokens
    let fraction = self[.replaced] / tokens
    let positives = self[.truePositives] + self[.falsePositives]
    let right = tokens - self[.replaced] - self[.falsePositives] + self[.truePositives]
    return [
      (.discriminatorLoss, loss),
      (.discriminatorAccuracy, right / tokens),
      (.discriminatorAUC, tally.areaUnderCurve),
      (.discriminatorPrecision, positives > 0 ? self[.truePositives] / positives : 0),
      (.discriminatorRecall, self[.truePositives] / max(1, self[.replaced])),
      (.discriminatorSkill, 1 - loss / entropy(of: fraction)),
      (.replacedFraction, fraction),
    ]
  }
}

/// The entropy of a coin that falls on one side with probability `p`, in nats; the smallest
/// positive number where it is zero.
func entropy(of p: Double) -> Double {
  guard p > 0, p < 1 else { return .leastNonzeroMagnitude }
  return -p * naturalLogarithm(p) - (1 - p) * naturalLogarithm(1 - p)
}
