import Foundation
import Layers

/// Finds problems of a pre-training run from its metrics lines alone.
///
///     var monitor = HealthMonitor(of: subject)
///     monitor.checkRecipe(step: 0)                      // warnings before the first step
///     monitor.check(line)                               // warnings after a line of metrics
///
/// Metrics do not depend on ranks and threads, so warnings do not either. A resumed run gets the
/// same state by reading its old lines. Each issue is reported once in a run.
///
/// Thresholds come from published curves (the paper's small model on OpenWebText: 128 sequences of
/// 128 tokens, 10,000 steps of warm-up; google-research/electra issues 3 and 81) and from runs that
/// users of other programs considered healthy. They are wide: no warning is raised for a run that
/// looks like a published one at any step.
package struct HealthMonitor: Sendable {
  /// The run that is monitored.
  package struct Subject: Sendable {
    package let configuration: PretrainingConfiguration
    /// The number of training examples.
    package let examples: Int
    /// The entropy of token frequencies, in nats: the loss of a generator that ignores context.
    package let unigramEntropy: Double

    package init(
      configuration: PretrainingConfiguration, examples: Int, unigramEntropy: Double
    ) {
      (self.configuration, self.examples) = (configuration, examples)
      self.unigramEntropy = unigramEntropy
    }
  }

  let subject: Subject
  /// The issues reported so far.
  package private(set) var reported: Set<HealthIssue> = []
  var history: MetricsHistory

  /// A monitor of a run without metrics yet.
  package init(of subject: Subject) {
    self.subject = subject
    let configuration = subject.configuration
    history = MetricsHistory(
      configuration.recipe.task, rampEnd: configuration.rampSteps?.upperBound ?? 0)
  }

  var recipe: PretrainingConfiguration.Recipe { subject.configuration.recipe }

  /// Records that an issue was reported before, in an earlier start of the run.
  package mutating func markReported(_ issue: HealthIssue) { reported.insert(issue) }

  /// New warnings about the recipe, before `step`.
  package mutating func checkRecipe(step: Int) -> [HealthWarning] {
    unreported([largeGenerator(step), manyEpochs(step), longWarmup(step)])
  }

  /// New warnings after a line of metrics; lines come in the order of their steps.
  package mutating func check(_ line: MetricsLine) -> [HealthWarning] {
    // The lines of earlier phases, which every start reads again, are of other recipes.
    guard line.step > subject.configuration.firstStep else { return [] }
    if line.split == .heldOut {
      history.add(heldOut: line)
      return unreported([overfitting(line)])
    }
    let spike = lossSpike(line)
    history.add(training: line)
    return unreported([
      uniformSamples(line), majorityClass(line), noTakeOff(line), divergence(line),
      spike,
    ])
  }

  /// The warnings whose issues have not been reported, which count as reported from now on.
  private mutating func unreported(_ warnings: [HealthWarning?]) -> [HealthWarning] {
    warnings.compactMap(\.self).filter { reported.insert($0.issue).inserted }
  }

  // MARK: The recipe

  /// A generator wider than half of the discriminator (ELECTRA, section 3.2 and figure 3).
  private func largeGenerator(_ step: Int) -> HealthWarning? {
    guard isGeneratorLarge else { return nil }
    let model = subject.configuration.model
    return HealthWarning(
      .largeGenerator, isFatal: false, step: step,
      "the generator's width is \(model.generator.hiddenSize), more than half of the "
        + "discriminator's \(model.discriminator.hiddenSize): its samples may be too hard to "
        + "detect, and some such runs learn nothing (the paper's best is a quarter to a half); use "
        + "--generator-width 0.25 in a new run")
  }

  /// Whether the generator is wider than half of the discriminator, unless the task needs equal
  /// sizes.
  var isGeneratorLarge: Bool {
    let (task, model) = (recipe.task, subject.configuration.model)
    guard task.hasGenerator, task.sharing != .all, task.scheme != .twoStage else { return false }
    return 2 * model.generator.hiddenSize > model.discriminator.hiddenSize
  }

  /// A schedule of more epochs than any published one.
  ///
  /// BERT has about 40 (Devlin et al. 2019, appendix A.2), ELECTRA fewer.
  private func manyEpochs(_ step: Int) -> HealthWarning? {
    let passes = epochs(at: subject.configuration.steps)
    guard passes > 40 else { return nil }
    return HealthWarning(
      .manyEpochs, isFatal: false, step: step,
      "the schedule has \(Int(passes)) epochs over \(subject.examples) examples, and no published "
        + "run more than 40: the model may overfit; use more text or fewer --steps"
    )
  }

  /// A warm-up of more than half of the schedule, which keeps the learning rate far below its peak.
  ///
  /// At step t the rate is peak * (t / warmup) * (1 - t / steps). If the warm-up exceeds half of
  /// the steps, the maximum is at half of the steps: peak * steps / (4 * warmup).
  private func longWarmup(_ step: Int) -> HealthWarning? {
    let cycle = Double(recipe.steps) / (recipe.task.scheme.hasStages ? 2 : 1)
    let warmup = Double(recipe.warmupSteps)
    guard warmup > cycle / 2 else { return nil }
    return HealthWarning(
      .longWarmup, isFatal: false, step: step,
      "the warm-up takes \(recipe.warmupSteps) of \(Int(cycle)) steps, so the learning rate "
        + String(format: "reaches at most %.2g ", cycle / (4 * warmup) * recipe.learningRate)
        + "of \(recipe.learningRate); use --warmup \(Int(cycle / 10)) or more --steps in a new run")
  }

  /// The number of epochs after `step` steps.
  func epochs(at step: Int) -> Double {
    let configuration = subject.configuration
    let samples =
      configuration.firstSample
      + max(0, step - configuration.firstStep) * configuration.recipe.batchSize
    return Double(samples) / Double(max(1, subject.examples))
  }
}
