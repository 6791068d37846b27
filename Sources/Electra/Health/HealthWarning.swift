/// The kinds of health warnings; raw values are those of `metrics.jsonl`.
package enum HealthIssue: String, Sendable, CaseIterable {
  /// The generator is more than half as wide as the discriminator.
  case largeGenerator = "large-generator"
  /// The schedule has too many epochs.
  case manyEpochs = "many-epochs"
  /// The learning rate rises for most of the schedule, or never reaches its peak.
  case longWarmup = "long-warmup"
  /// Samples are uniformly random tokens, by choice or because the generator has not learned.
  case uniformSamples = "uniform-samples"
  /// The discriminator predicts the majority class for every token.
  case majorityClass = "majority-class"
  /// The generator has learned token frequencies but not context.
  case noTakeOff = "no-take-off"
  /// The training loss falls while the held-out loss rises.
  case overfitting
  /// The loss has jumped.
  case lossSpike = "loss-spike"
  /// The loss rose far above its lowest value and stayed there.
  case divergence
  /// The gradient of a step is not finite.
  case notFinite = "not-finite"
}

/// A warning about the health of a run, in one sentence with the likely cause and a remedy.
package struct HealthWarning: Sendable, Equatable {
  package let issue: HealthIssue
  /// Whether the run is not worth continuing; other warnings are notes (`severity` in
  /// `metrics.jsonl`).
  package let isFatal: Bool
  /// The number of completed steps.
  package let step: Int
  /// The problem, its likely cause and what to do.
  package let sentence: String

  package init(_ issue: HealthIssue, isFatal: Bool, step: Int, _ sentence: String) {
    (self.issue, self.isFatal, self.step, self.sentence) = (issue, isFatal, step, sentence)
  }
}
