import Foundation
import Layers
import Training

/// What a kind of training adds to the loop that all share (`ResumableRun`).
///
/// Every rank calls each of these at the same point of the run, so they may communicate, unless stated
/// otherwise.
package protocol TrainingJob {
  /// Writes the weights that a new run begins with into the trainer; rank zero's are then copied to all.
  ///
  /// Returns whether they must be saved before the first step; one rank that says so is enough.
  func makeFirstWeights() throws -> Bool

  /// Restores what the job keeps in a checkpoint beside weights, moments and state.
  ///
  /// `checkpoint` is its folder on rank zero, and nil on the others.
  func restore(from checkpoint: String?) throws

  /// Called once before the first step of a start, with the state that it begins with.
  func willTrain(from state: CheckpointState)

  /// Whether an evaluation follows step `step`; the same on every rank, without communication.
  func isEvaluationDue(after step: Int) -> Bool

  /// Whether the start before this one stopped before the evaluation that was due at `state`.
  func isEvaluationMissing(at state: CheckpointState) throws -> Bool

  /// Evaluates the model and logs the result.
  ///
  /// Throws `TrainerError.stopped` on every rank, without a result, when any was asked to stop.
  func evaluate(_ state: CheckpointState) throws

  /// The small files of a checkpoint, by name; called on rank zero alone.
  func checkpointFiles() throws -> [String: Data]

  /// Called on every rank after a line of metrics.
  func didLog(_ line: MetricsLine)

  /// Called when a step made the gradient non-finite, which ends the run.
  func didDiverge(_ divergence: Divergence)

  /// Whether this rank wants to stop because of the run's health.
  var stopsForHealth: Bool { get }
}

extension TrainingJob {
  package func restore(from checkpoint: String?) throws {}
  package func willTrain(from state: CheckpointState) {}
  package func didLog(_ line: MetricsLine) {}
  package func didDiverge(_ divergence: Divergence) {}
  package var stopsForHealth: Bool { false }
}
