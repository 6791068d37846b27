import Collectives
import Corpus
import Electra
import Layers
import Models
import Platform
import Training

// Evaluation on held-out examples.

extension PretrainingRun {
  package func isEvaluationDue(after step: Int) -> Bool {
    step > 0 && (step % options.evaluateEvery == 0 || step == configuration.steps)
  }

  package func isEvaluationMissing(at state: CheckpointState) throws -> Bool {
    let isMissing =
      context.isFirst && isEvaluationDue(after: state.step)
      && !context.metrics.holds(.heldOut, step: state.step)
    return try context.world.anyRank(isMissing)
  }

  package func evaluate(_ state: CheckpointState) throws {
    let count = min(options.evaluateExamples, data.heldOutCount)
    guard count > 0 || pairs != nil else { return }
    let data = data
    var values = try run.trainer.evaluate(
      sequences: count, shouldStop: { StopSignals.isRequested },
      source: { _, sequences in try data.heldOut(sequences, of: count) })
    if count == 0 { values = [] }
    // The evaluation above has waited for the weights.
    let accuracy = try pairs?.accuracy(
      run.trainer.evaluator.sharing(PairScorer(run.trainer.objective))
    ) { StopSignals.isRequested }
    if let accuracy { values.append((.pairAccuracy, accuracy.total.accuracy)) }
    guard context.isFirst else { return }
    health?.check(run.progress.logHeldOut(values, state, examples: count))
    if let accuracy, !accuracy.phenomena.isEmpty { context.log.write("pairs: \(accuracy.line)") }
  }
}
