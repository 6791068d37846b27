/// What can be wrong with a run, as `metrics.jsonl` names it.
package enum HealthIssue: String, Sendable, CaseIterable {
  /// The generator is more than half as wide as the discriminator.
  case largeGenerator = "large-generator"
  /// The schedule passes too often over the data.
  case manyEpochs = "many-epochs"
  /// The learning rate rises for most of the schedule, or never reaches its peak.
  case longWarmup = "long-warmup"
  /// Samples are drawn from the whole vocabulary alike, by a generator that has not learnt or that was
  /// chosen so.
  case uniformSamples = "uniform-samples"
  /// The discriminator says the same of every token.
  case majorityClass = "majority-class"
  /// The generator knows the frequencies of tokens and nothing else.
  case noTakeOff = "no-take-off"
  /// Training goes on to improve what held-out text loses.
  case overfitting
  /// The loss has jumped.
  case lossSpike = "loss-spike"
  /// The loss is far above what it was, and stays there.
  case divergence
  /// A step's gradient holds a number that is not finite.
  case notFinite = "not-finite"
}

/// What a run says of its own health: what is wrong, in one sentence with the likely cause and the
/// way out.
package struct HealthWarning: Sendable, Equatable {
  package let issue: HealthIssue
  /// Whether going on is a waste; a run that is not gravely ill may still come to something.
  package let isFatal: Bool
  /// The steps done.
  package let step: Int
  package let sentence: String

  package init(_ issue: HealthIssue, isFatal: Bool, step: Int, _ sentence: String) {
    (self.issue, self.isFatal, self.step, self.sentence) = (issue, isFatal, step, sentence)
  }
}
