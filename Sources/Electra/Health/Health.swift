import Foundation
import Layers

/// A run's judgement of itself, from the lines of its metrics and nothing else.
///
///     var health = Health(of: subject)
///     health.judgeRecipe()                              // what is unusual before the first step
///     health.judge(line)                                // what a line of metrics adds to that
///
/// Metrics are the same on every number of ranks and lanes, and so are verdicts; a run that goes on
/// comes to the same state by reading its old lines. Each illness is told once in a run's life.
///
/// Thresholds come from published curves (the paper's small model on OpenWebText: 128 sequences of 128
/// tokens, 10,000 steps of warm-up; google-research/electra issues 3 and 81) and from what users of
/// other programs took for a learning run. They are wide: a run that looks like a published one at any
/// point of its life is never accused.
package struct Health: Sendable {
  /// What is judged.
  package struct Subject: Sendable {
    package let configuration: PretrainingConfiguration
    /// The training examples.
    package let examples: Int
    /// The entropy of the frequencies of tokens, in nats: the loss of a generator that has learnt
    /// them and nothing of context.
    package let unigramEntropy: Double

    package init(
      configuration: PretrainingConfiguration, examples: Int, unigramEntropy: Double
    ) {
      (self.configuration, self.examples) = (configuration, examples)
      self.unigramEntropy = unigramEntropy
    }
  }

  let subject: Subject
  /// The illnesses that have been told.
  package private(set) var said: Set<HealthIssue> = []
  var history: MetricsHistory

  package init(of subject: Subject) {
    self.subject = subject
    history = MetricsHistory(subject.configuration.recipe.task)
  }

  var recipe: PretrainingConfiguration.Recipe { subject.configuration.recipe }

  /// Takes note that an illness was told before.
  package mutating func silence(_ issue: HealthIssue) { said.insert(issue) }

  /// What is to say of the recipe before `step`.
  package mutating func judgeRecipe(step: Int) -> [HealthWarning] {
    take([largeGenerator(step), manyEpochs(step), longWarmup(step)])
  }

  /// What is to say after a line of metrics; lines come in the order of the steps.
  package mutating func judge(_ line: MetricsLine) -> [HealthWarning] {
    if line.split == .heldOut {
      history.add(heldOut: line)
      return take([overfitting(line)])
    }
    // Another phase has another loss.
    if let before = history.step, before <= subject.configuration.firstStep,
      line.step > subject.configuration.firstStep
    {
      history = MetricsHistory(recipe.task)
    }
    let spike = lossSpike(line)
    history.add(training: line)
    return take([
      uniformSamples(line), majorityClass(line), noTakeOff(line), divergence(line),
      spike,
    ])
  }

  /// Those of `warnings` that have not been told.
  private mutating func take(_ warnings: [HealthWarning?]) -> [HealthWarning] {
    warnings.compactMap(\.self).filter { said.insert($0.issue).inserted }
  }

  // MARK: The recipe

  /// How much wider than the paper's best a generator is.
  private func largeGenerator(_ step: Int) -> HealthWarning? {
    guard isGeneratorLarge else { return nil }
    let model = subject.configuration.model
    return HealthWarning(
      .largeGenerator, isFatal: false, step: step,
      "the generator is \(model.generator.hiddenSize) wide beside a discriminator of "
        + "\(model.discriminator.hiddenSize): above a half, samples are too good to learn from, and "
        + "some runs learn nothing (the paper's best is a quarter to a half); --generator-width 0.25 "
        + "makes it smaller in a new run")
  }

  /// Where the two are one, or one begins with the other's weights, they are equal by design.
  var isGeneratorLarge: Bool {
    let (task, model) = (recipe.task, subject.configuration.model)
    guard task.hasGenerator, task.sharing != .all, task.scheme != .twoStage else { return false }
    return 2 * model.generator.hiddenSize > model.discriminator.hiddenSize
  }

  /// A schedule of more passes over the data than any that was published.
  ///
  /// BERT passed 40 times over its text (Devlin et al. 2019, appendix A.2), ELECTRA fewer.
  private func manyEpochs(_ step: Int) -> HealthWarning? {
    let passes = epochs(at: subject.configuration.steps)
    guard passes > 40 else { return nil }
    return HealthWarning(
      .manyEpochs, isFatal: false, step: step,
      "the schedule passes \(Int(passes)) times over \(subject.examples) examples, and no published "
        + "run more than 40 times: it may learn the text by heart; give it more text or fewer --steps"
    )
  }

  /// With linear decay a warm-up of all steps reaches a quarter of the rate, and a longer one less.
  private func longWarmup(_ step: Int) -> HealthWarning? {
    let cycle = Double(recipe.steps) / (recipe.task.scheme.hasStages ? 2 : 1)
    let warmup = Double(recipe.warmupSteps)
    guard warmup > cycle / 2 else { return nil }
    return HealthWarning(
      .longWarmup, isFatal: false, step: step,
      "the learning rate rises for \(recipe.warmupSteps) steps in a schedule of \(Int(cycle)), so it "
        + String(format: "comes to no more than %.2g ", cycle / (4 * warmup) * recipe.learningRate)
        + "of \(recipe.learningRate); a new run with --warmup \(Int(cycle / 10)), or more --steps, "
        + "learns at the rate that was asked for")
  }

  /// Passes over the data after `step` steps.
  func epochs(at step: Int) -> Double {
    let configuration = subject.configuration
    let samples =
      configuration.firstSample
      + max(0, step - configuration.firstStep) * configuration.recipe.batchSize
    return Double(samples) / Double(max(1, subject.examples))
  }
}
