import Foundation
import Layers
import Tensors

// How the loss should go: down, with two known exceptions that stay within a tenth. Total loss rises a
// little when the generator takes off, and a step's loss is noisy. Where it may rise far says `mayRise`.

extension Health {
  /// A line far above those before it.
  ///
  /// Small batches are noisy, so the measure is what the last lines
  /// differ by among themselves.
  func lossSpike(_ line: MetricsLine) -> HealthWarning? {
    guard let loss = line[.loss], history.losses.count == MetricsHistory.window else { return nil }
    // The first line with a discriminator is of another sum.
    if line[.discriminatorLoss] != nil && history.detectsSince == nil { return nil }
    let usual = history.losses.upperMedian
    let deviation = 1.4826 * history.losses.map { abs($0 - usual) }.upperMedian
    guard loss > 1.25 * usual, loss > usual + 8 * deviation else { return nil }
    return HealthWarning(
      .lossSpike, isFatal: false, step: line.step,
      String(
        format:
          "the loss jumped from %.2f to %.2f at step %d: strange text, or a learning rate near "
          + "what the model bears; if it does not come back, ", usual, loss, line.step)
        + "begin anew with half the --learning-rate or twice the --warmup")
  }

  /// A loss that is lost: above that of a new model, or far above what it was, and not coming back.
  func divergence(_ line: MetricsLine) -> HealthWarning? {
    let losses = history.losses
    let recent = losses.suffix(5)
    let isWorseThanNew = recent.count == 5 && recent.upperMedian > 1.1 * firstLoss
    let isLost = history.linesAbove >= MetricsHistory.window && !mayRise
    guard isWorseThanNew || isLost else { return nil }
    let comparison =
      isWorseThanNew
      ? String(format: "that of a new model is %.2f", firstLoss)
      : String(format: "it was %.2f", history.lowest)
    return HealthWarning(
      .divergence, isFatal: true, step: line.step,
      String(format: "the loss is %.2f after %d steps and ", recent.upperMedian, line.step)
        + "\(comparison): the learning rate is too high, or the warm-up too short; begin anew with "
        + "half the --learning-rate or twice the --warmup")
  }

  /// Whether a healthy loss rises for long, far above its lowest value: with the loss of drawn positions
  /// alone, all of them are replaced at first, and more and more are right; and an adversary raises it.
  private var mayRise: Bool {
    recipe.task.objective == .electra15 || recipe.task.scheme == .adversarial
  }

  /// What a new model's loss is at most: every token equally likely, replaced or not equally likely
  /// (44.98 with the vocabulary of 30,522 and the paper's weight).
  var firstLoss: Double {
    let (task, weight) = (recipe.task, Double(recipe.discriminatorWeight))
    let language = log(Double(subject.configuration.model.vocabularySize))
    return (task.hasGenerator && task.scheme != .adversarial ? language : 0)
      + weight * (task.objective.predicts ? language : log(2))
  }

  /// What training gains and held-out text loses, evaluation after evaluation, in text that was read
  /// before.
  func overfitting(_ line: MetricsLine) -> HealthWarning? {
    let passes = epochs(at: line.step)
    guard passes >= 2 else { return nil }
    let skill = history.heldOutSkill
    let figures: String
    if let language = history.learners.lazy.map(\.heldOut).first(where: \.isOverfitted),
      let best = language.best, let last = language.last, let training = language.training
    {
      figures = String(
        format: "loss rose from %.2f at step %d to %.2f while that of training is %.2f", best.value,
        best.step, last, training)
    } else if let best = skill.best, let last = skill.last, let training = skill.training,
      skill.worse >= 2, training - last > 0.2
    {
      figures = String(
        format: "skill fell from %.3f at step %d to %.3f while that of training is %.3f",
        best.value,
        best.step, last, training)
    } else {
      return nil
    }
    return HealthWarning(
      .overfitting, isFatal: true, step: line.step,
      "held-out \(figures), after \(Int(passes)) passes over \(subject.examples) examples: the run "
        + "learns its text by heart; give it more text or fewer --steps, and take an earlier checkpoint"
    )
  }
}
