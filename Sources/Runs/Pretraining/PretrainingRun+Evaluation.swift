import Collectives
import Corpus
import Electra
import Layers
import Platform
import Training

// Held-out examples, and what becomes of an evaluation that a request to stop met.

extension PretrainingRun {
  /// Whether the step just done is followed by an evaluation.
  var isEvaluationDue: Bool { isEvaluated(state.step) }

  /// Whether an evaluation follows so many steps.
  func isEvaluated(_ step: Int) -> Bool {
    step > 0 && (step % options.evaluateEvery == 0 || step == configuration.steps)
  }

  /// Whether the start before this one stopped instead of evaluating.
  func isEvaluationMissing() throws -> Bool {
    let isMissing =
      isFirst && isEvaluationDue && !metrics.holds(.heldOut, step: state.step)
    return try world.sum([isMissing ? 1 : 0])[0] > 0
  }

  /// Evaluates the held-out examples; returns false, without a result, when asked to stop meanwhile.
  func evaluate() throws -> Bool {
    let count = min(options.evaluateExamples, data.heldOutCount)
    guard count > 0 else { return true }
    let began = now()
    defer {
      evaluationSeconds = now() - began
      progress.spend(evaluationSeconds, on: .evaluation)
    }
    let data = data
    let values: MetricValues
    do {
      values = try trainer.evaluate(
        sequences: count, isAsked: { StopSignals.isRequested },
        source: { _, sequences in try data.heldOut(sequences, of: count) })
    } catch TrainerError.stopped {
      return false
    }
    if isFirst { health?.judge(progress.tellHeldOut(values, state, examples: count)) }
    return true
  }
}
