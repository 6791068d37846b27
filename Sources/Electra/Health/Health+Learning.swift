import Foundation
import Layers
import Tensors

// What a run should have learnt after a while. The published small model leaves the plateau of token
// frequencies between 8,000 and 16,000 steps; its discriminator's skill is 0.11 after 5,000 and a third
// after 20,000. `tiny`, whose first weights are made for it, leaves it between 1,000 and 2,000 steps.

extension Health {
  /// When a run should have taken off, whatever its data: later than any that is known and did.
  struct TakeOff: Sendable {
    let steps: Int
    let tokens: Int
    /// Nats below the entropy of token frequencies at which a generator is still on the plateau: it
    /// learns a little of the topic there.
    let plateau: Double

    init(_ configuration: PretrainingConfiguration) {
      let isQuick = configuration.model.firstPositions == .sinusoids
      steps = max(isQuick ? 5000 : 20_000, 2 * configuration.recipe.warmupSteps)
      tokens = isQuick ? 9_000_000 : 20_000 * PublishedCurve.tokensPerStep
      plateau = isQuick ? 0.5 : 0.8
    }
  }

  /// Whether all that was published would have taken off by now, `start` being the step and tokens at
  /// which the network began to learn.
  private func isDue(_ line: MetricsLine, since start: (step: Int, tokens: Int)) -> Bool {
    let due = TakeOff(subject.configuration)
    return line.step - max(start.step, subject.configuration.firstStep) >= due.steps
      && (line.tokens ?? 0) - start.tokens >= due.tokens
  }

  /// A discriminator that no one would use: its loss is that of guessing the majority.
  func majorityClass(_ line: MetricsLine) -> HealthWarning? {
    guard recipe.task.objective.detects, !recipe.task.objective.predicts,
      let begun = history.detectsSince, let since = history.flatSince,
      isDue(line, since: begun),
      line.step - since >= TakeOff(subject.configuration).steps / 2
    else { return nil }
    let cause =
      if isGeneratorLarge {
        "the generator is too large beside it; --generator-width 0.25 makes it smaller in a new run"
      } else if recipe.task.scheme == .twoStageFresh {
        "one that begins anew against a finished generator often fails (the paper's section 3.2); "
          + "use --training two-stage or joint"
      } else {
        "it knows nothing yet that the generator does not, for which the published small model read "
          + "65 million tokens; or the learning rate is too high, or the warm-up too short for it: "
          + "begin anew with half the --learning-rate or twice the --warmup"
      }
    return HealthWarning(
      .majorityClass, isFatal: true, step: line.step,
      String(
        format: "after %d steps the discriminator still says the same of every token "
          + "(skill %.3f, AUC %.3f): ", line.step, history.skills.mean, history.areas.mean) + cause
    )
  }

  /// A generator, or an encoder that names tokens, that predicts the same everywhere.
  func noTakeOff(_ line: MetricsLine) -> HealthWarning? {
    let plateau = subject.unigramEntropy - TakeOff(subject.configuration).plateau
    let learner = history.learners.first {
      guard let since = $0.since, $0.losses.count >= MetricsHistory.fewest else { return false }
      return isDue(line, since: since) && $0.losses.mean > plateau
    }
    guard recipe.task.scheme != .adversarial, let learner else { return nil }
    let who =
      learner.isGenerator
      ? "the generator" : recipe.task.objective == .mlm ? "the model" : "the encoder"
    return HealthWarning(
      .noTakeOff, isFatal: true, step: line.step,
      String(
        format:
          "after %d steps %@'s loss is %.2f, and knowing the frequencies of tokens alone gives "
          + "%.2f: ", line.step, who, learner.losses.mean, subject.unigramEntropy)
        + "it has learnt nothing of context; the learning rate is too high, or the warm-up too short "
        + "or too long; begin anew with half the --learning-rate")
  }

  /// Samples that anyone can tell from text: fine figures, and little to learn from.
  func uniformSamples(_ line: MetricsLine) -> HealthWarning? {
    guard recipe.task.objective.detects, history.skills.count >= MetricsHistory.fewest,
      history.skills.mean > 0.1
    else { return nil }
    let uniform = log(Double(subject.configuration.model.vocabularySize))
    let figures = String(
      format: "(skill %.3f, AUC %.3f) ", history.skills.mean, history.areas.mean)
    if recipe.task.generator == .uniform {
      return HealthWarning(
        .uniformSamples, isFatal: false, step: line.step,
        "samples are drawn from the whole vocabulary alike, so the discriminator's figures \(figures)"
          + "look better than what it learns; --generator transformer is the paper's")
    }
    guard let generator = history.generator, recipe.task.scheme != .adversarial,
      generator.losses.mean > (uniform + subject.unigramEntropy) / 2
    else { return nil }
    return HealthWarning(
      .uniformSamples, isFatal: true, step: line.step,
      String(
        format:
          "the generator has learnt nothing (loss %.2f of %.2f), so samples are random tokens "
          + "and the discriminator's figures ", generator.losses.mean, uniform)
        + "\(figures)look better than what it learns; begin anew with a wider generator or half the "
        + "--learning-rate")
  }
}
