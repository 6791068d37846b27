import Foundation
import Layers
import Tensors

// Warnings about the course of the loss. A healthy loss falls, with two exceptions that stay within
// a tenth: the total loss rises a little when the generator leaves its plateau, and the losses of
// single steps are noisy. Objectives whose loss may rise further are listed in `mayRise`.

extension HealthMonitor {
  /// A loss far above those of the previous lines.
  ///
  /// Small batches are noisy, so the threshold is 8 robust standard deviations of the last lines:
  /// 1.4826 times the median absolute deviation, which estimates the standard deviation of a normal
  /// variable.
  func lossSpike(_ line: MetricsLine) -> HealthWarning? {
    guard let loss = line[.loss], history.losses.count == MetricsHistory.window else { return nil }
    // The first line with a discriminator has one more term in its loss.
    if line[.discriminatorLoss] != nil && history.detectionSince == nil { return nil }
    let median = history.losses.upperMedian
    let standardDeviation = 1.4826 * history.losses.map { abs($0 - median) }.upperMedian
    guard loss > 1.25 * median, loss > median + 8 * standardDeviation else { return nil }
    return HealthWarning(
      .lossSpike, isFatal: false, step: line.step,
      String(
        format:
          "the loss rose from %.2f to %.2f at step %d: the text is unusual there, or the learning "
          + "rate is almost too high; if the loss does not fall again, ", median, loss, line.step)
        + "start a new run with half the --learning-rate or twice the --warmup")
  }

  /// A loss above an untrained model's, or one that stays far above its lowest value.
  func divergence(_ line: MetricsLine) -> HealthWarning? {
    let losses = history.losses
    let recent = losses.suffix(5)
    let isWorseThanNew = recent.count == 5 && recent.upperMedian > 1.1 * initialLoss
    let isLost = history.linesAbove >= MetricsHistory.window && !mayRise
    guard isWorseThanNew || isLost else { return nil }
    let comparison =
      isWorseThanNew
      ? String(format: "an untrained model's is %.2f", initialLoss)
      : String(format: "was %.2f before", history.lowest)
    return HealthWarning(
      .divergence, isFatal: true, step: line.step,
      String(format: "the loss is %.2f after %d steps and ", recent.upperMedian, line.step)
        + "\(comparison): the learning rate is too high or the warm-up too short; start a new run "
        + "with half the --learning-rate or twice the --warmup")
  }

  /// Whether a healthy loss may rise far above its lowest value for a long time.
  ///
  /// With a loss over masked positions only, almost all are replaced at first, which is easy to
  /// predict; as the generator learns, detection becomes harder. An adversarial generator raises
  /// the loss on purpose.
  private var mayRise: Bool {
    recipe.task.objective == .electra15 || recipe.task.scheme == .adversarial
  }

  /// The loss of an untrained model, with uniform predictions over tokens and classes.
  ///
  /// It is 44.98 with a vocabulary of 30,522 and the paper's weight of 50.
  var initialLoss: Double {
    let (task, weight) = (recipe.task, Double(recipe.discriminatorWeight))
    let language = log(Double(subject.configuration.model.vocabularySize))
    let generator = task.hasGenerator && task.scheme != .adversarial ? language : 0
    if task.objective.masksAndReplaces { return generator + language + weight * log(2) }
    return generator + weight * (task.objective.predicts ? language : log(2))
  }

  /// A held-out metric that becomes worse while training improves, from the second epoch on.
  func overfitting(_ line: MetricsLine) -> HealthWarning? {
    let passes = epochs(at: line.step)
    guard passes >= 2 else { return nil }
    let skill = history.heldOutSkill
    let values: String
    if let language = history.learners.lazy.map(\.heldOut).first(where: \.isOverfitted),
      let best = language.best, let last = language.last, let training = language.training
    {
      values = String(
        format: "loss rose from %.2f at step %d to %.2f while the training loss is %.2f",
        best.value,
        best.step, last, training)
    } else if let best = skill.best, let last = skill.last, let training = skill.training,
      skill.worse >= 2, training - last > 0.2
    {
      values = String(
        format: "skill fell from %.3f at step %d to %.3f while the training skill is %.3f",
        best.value,
        best.step, last, training)
    } else {
      return nil
    }
    return HealthWarning(
      .overfitting, isFatal: true, step: line.step,
      "the held-out \(values), after \(Int(passes)) epochs over \(subject.examples) examples: the "
        + "model overfits; use more text or fewer --steps, and an earlier checkpoint"
    )
  }
}
