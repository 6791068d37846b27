import Foundation
import Layers
import Tensors

// Warnings about runs that should have learned more by now. At first a generator learns only token
// frequencies, and its loss stays on a plateau near their entropy. The published small model leaves
// the plateau between steps 8,000 and 16,000; the skill of its discriminator is 0.11 after 5,000
// steps and 1/3 after 20,000. The generator of `tiny` with `--objective electra`, which has
// sinusoidal position embeddings and larger initial weights, leaves it between steps 1,000 and
// 2,000.

extension HealthMonitor {
  /// When a run should have left the plateau: later than any known run that did.
  struct TakeOff: Sendable {
    let steps: Int
    let tokens: Int
    /// How far below the entropy of token frequencies a loss still counts as on the plateau, in
    /// nats.
    ///
    /// The generator learns a little about topics there.
    let plateau: Double

    init(_ configuration: PretrainingConfiguration) {
      let isQuick = configuration.model.positionInitializer == .sinusoids
      steps = max(isQuick ? 5000 : 20_000, 2 * configuration.recipe.warmupSteps)
      tokens = isQuick ? 9_000_000 : 20_000 * PublishedCurve.tokensPerStep
      plateau = isQuick ? 0.5 : 0.8
    }
  }

  /// Whether every published run would have left the plateau by now.
  ///
  /// `start` is the step and the tokens at which training of the network began.
  private func isDue(_ line: MetricsLine, since start: (step: Int, tokens: Int)) -> Bool {
    let due = TakeOff(subject.configuration)
    return line.step - max(start.step, subject.configuration.firstStep) >= due.steps
      && (line.tokens ?? 0) - start.tokens >= due.tokens
  }

  /// A discriminator that ignores its input.
  ///
  /// Its skill stays at 0, that of always giving the share of replaced tokens (the base rate).
  func majorityClass(_ line: MetricsLine) -> HealthWarning? {
    guard recipe.task.objective.hasDetectionLoss,
      let begun = history.fullDetectionSince, let since = history.constantSince,
      isDue(line, since: begun),
      line.step - since >= TakeOff(subject.configuration).steps / 2
    else { return nil }
    let cause =
      if isGeneratorLarge {
        "the generator is too large in comparison; use --generator-width 0.25 in a new run"
      } else if recipe.task.scheme == .twoStageFresh {
        "a newly initialised discriminator often fails to learn against a trained generator "
          + "(ELECTRA, section 3.2); use --training two-stage or joint"
      } else if recipe.task.objective.masksAndReplaces {
        "the weight of its loss is too small beside that of the predictions, or the learning rate "
          + "is too high; start a new run, or a branch of an early checkpoint, with twice the "
          + "--discriminator-weight or half the --learning-rate"
      } else {
        "either it needs more tokens (65 million in the published run of small), or the learning "
          + "rate is too high or the warm-up too short; start a new run with half the "
          + "--learning-rate or twice the --warmup"
      }
    return HealthWarning(
      .majorityClass, isFatal: true, step: line.step,
      String(
        format: "after %d steps the discriminator still predicts the same for every token "
          + "(skill %.3f, AUC %.3f): ", line.step, history.skills.mean, history.areas.mean) + cause
    )
  }

  /// A generator, or an encoder that predicts tokens, that ignores context.
  func noTakeOff(_ line: MetricsLine) -> HealthWarning? {
    let plateau = subject.unigramEntropy - TakeOff(subject.configuration).plateau
    let learner = history.learners.first {
      guard let since = $0.since, $0.losses.count >= MetricsHistory.minimumCount else {
        return false
      }
      return isDue(line, since: since) && $0.losses.mean > plateau
    }
    guard recipe.task.scheme != .adversarial, let learner else { return nil }
    let network =
      learner.isGenerator
      ? "the generator" : recipe.task.objective == .mlm ? "the model" : "the encoder"
    return HealthWarning(
      .noTakeOff, isFatal: true, step: line.step,
      String(
        format:
          "after %d steps %@'s loss is %.2f, and token frequencies alone give %.2f: ",
        line.step, network, learner.losses.mean, subject.unigramEntropy)
        + "it ignores context; the learning rate is too high, or the warm-up too short or too "
        + "long; start a new run with half the --learning-rate")
  }

  /// Trivially detectable samples: the discriminator's metrics look good, but it learns little.
  func uniformSamples(_ line: MetricsLine) -> HealthWarning? {
    guard recipe.task.objective.detects, history.skills.count >= MetricsHistory.minimumCount,
      history.skills.mean > 0.1
    else { return nil }
    let uniform = log(Double(subject.configuration.model.vocabularySize))
    let metrics = String(
      format: "(skill %.3f, AUC %.3f) ", history.skills.mean, history.areas.mean)
    if recipe.task.generator == .uniform {
      return HealthWarning(
        .uniformSamples, isFatal: false, step: line.step,
        "samples are uniformly random tokens, so the discriminator's metrics \(metrics)overstate "
          + "what it learns; the paper uses --generator transformer")
    }
    guard let generator = history.generator, recipe.task.scheme != .adversarial,
      generator.losses.mean > (uniform + subject.unigramEntropy) / 2
    else { return nil }
    return HealthWarning(
      .uniformSamples, isFatal: true, step: line.step,
      String(
        format:
          "the generator has learned nothing (loss %.2f; uniform predictions have %.2f), so "
          + "samples are random tokens and the discriminator's metrics ", generator.losses.mean,
        uniform)
        + "\(metrics)overstate what it learns; start a new run with a wider generator or half the "
        + "--learning-rate")
  }
}
