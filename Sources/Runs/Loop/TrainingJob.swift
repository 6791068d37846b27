import Foundation
import Layers
import Training

/// What a kind of training adds to the loop that all kinds share (`ResumableRun`).
///
/// Every rank calls each requirement at the same point of the run, so implementations may
/// communicate, unless stated otherwise.
package protocol TrainingJob {
  /// Writes the initial weights of a new run into the trainer.
  ///
  /// Rank zero's weights are copied to all ranks afterwards. Returns whether the weights must be
  /// saved before the first step; they are if any rank returns true.
  func makeFirstWeights() throws -> Bool

  /// Restores what the job adds to a checkpoint besides weights, moments and state.
  ///
  /// `checkpoint` is its folder on rank zero, and nil on the others.
  func restore(from checkpoint: String?) throws

  /// Called once before the first step of a start, with the state from which it continues.
  func willTrain(from state: CheckpointState)

  /// Whether an evaluation follows step `step`; equal on all ranks, without communication.
  func isEvaluationDue(after step: Int) -> Bool

  /// Whether the previous start stopped before the evaluation that was due at `state`.
  func isEvaluationMissing(at state: CheckpointState) throws -> Bool

  /// Evaluates the model and logs the result.
  ///
  /// Throws `TrainerError.stopped` on all ranks, without a result, when any requested a stop.
  func evaluate(_ state: CheckpointState) throws

  /// The small files of a checkpoint, by name; called on rank zero alone.
  func checkpointFiles() throws -> [String: Data]

  /// Called on every rank after a line of training metrics.
  func didLog(_ line: MetricsLine)

  /// Called when a step made the gradient non-finite, which ends the run.
  func didDiverge(_ divergence: Divergence)

  /// Whether this rank requests a stop because of a fatal health warning.
  var stopsForHealth: Bool { get }
}

extension TrainingJob {
  package func restore(from checkpoint: String?) throws {}
  package func willTrain(from state: CheckpointState) {}
  package func didLog(_ line: MetricsLine) {}
  package func didDiverge(_ divergence: Divergence) {}
  package var stopsForHealth: Bool { false }
}
