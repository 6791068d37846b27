import Collectives
import Foundation
import Layers
import Models
import Platform
import Training

/// The state of a run's checkpoints.
struct SaveStatus {
  /// When the last save began.
  var began = now()
  /// The step of the newest checkpoint, restored or begun; nil before the first.
  var step: Int?
  /// Seconds for which the save in progress blocked training.
  var stall = 0.0
  /// The step and the reason when the last save failed; on rank zero.
  var failure: (step: Int, reason: String)?
  /// Seconds that a save takes: those of the last one, an estimate before the first.
  var seconds: Double

  /// Bytes per second that are assumed before the first save.
  private static let assumedSpeed = 2e8

  /// Estimates the time of a save of `weights` weights and the two moments of each.
  init(weights: Int) { seconds = 3 * 4 * Double(weights) / Self.assumedSpeed }
}

extension ResumableRun {
  /// Whether `saveEvery` or a milestone requires a checkpoint after the last step.
  var isSaveDue: Bool {
    settings.saveEvery.map { state.step % $0 == 0 } ?? false
      || settings.milestones.contains(state.step)
  }

  /// Restores the newest valid checkpoint, or starts a new run.
  ///
  /// Every rank must call it. Rank zero chooses the checkpoint for all.
  func restore(_ job: some TrainingJob) throws {
    let (world, log) = (context.world, log)
    let newest = try world.agree { context.isFirst ? try newestCheckpoint() : nil }
    guard let found = try world.broadcast(json: { newest?.state }) else { return try begin(job) }
    state = found
    guard state.step >= firstStep else {
      throw UsageError(
        "the newest valid checkpoint is of step \(state.step.grouped), before the current phase; "
          + "to resume, make the last of earlier_phases in the run's config.json the current phase")
    }
    try trainer.load(
      checkpoint: newest?.path ?? "", ofOtherParameters: isOfEarlierPhase(state))
    try job.restore(from: newest?.path)
    saves.step = state.step
    guard context.isFirst else { return }
    // A start that was killed may have logged steps after its last checkpoint; they are done again.
    context.metrics.cut(afterStep: state.step)
    log.write("resuming after step \(state.step.grouped) of \(steps.grouped)")
  }

  /// Whether `state` is the end of the phase before the current one, whose objective may differ.
  private func isOfEarlierPhase(_ state: CheckpointState) -> Bool {
    firstStep > 0 && state.step == firstStep
  }

  /// The newest valid checkpoint; nil for none.
  ///
  /// Logs the tensors that the model does not share with the checkpoint of an earlier phase.
  private func newestCheckpoint() throws -> (path: String, state: CheckpointState)? {
    guard let newest = try store.newestIntact(log: { log.write($0) }) else { return nil }
    if isOfEarlierPhase(newest.state) { try logDifferences(newest.path) }
    return newest
  }

  /// Logs the tensors that the model does not share with `checkpoint`.
  private func logDifferences(_ checkpoint: String) throws {
    let file = try ModelTensors(folder: checkpoint)
    let clauses = ModelFile.compare(file, trainer.objective.layout) { $0 }.clauses
    if !clauses.isEmpty { log.write("the phase begins with \(clauses.joined(separator: ", "))") }
  }

  /// Starts a new run.
  private func begin(_ job: some TrainingJob) throws {
    guard firstStep == 0 else { throw CheckpointError.notFound(path: store.folder) }
    if context.isFirst { context.metrics.cut(afterStep: 0) }
    let mustSave = try job.makeFirstWeights()
    try trainer.shareWeights()
    if try context.world.anyRank(mustSave) { try save(job) }
  }

  /// Begins a checkpoint, once the previous one is written.
  ///
  /// Blocks training while the weights are copied; a thread of the trainer writes the files.
  func save(_ job: some TrainingJob) throws {
    context.watchdog.enter(.checkpoint)
    let began = now()
    try logEndedSave(waiting: true)
    let files = try context.world.agree { context.isFirst ? try job.checkpointFiles() : [:] }
    try trainer.beginSave(state, into: store, files: files)
    (saves.began, saves.step) = (now(), state.step)
    saves.stall = saves.began - began
    progress.spend(saves.stall, on: .checkpoints)
  }

  /// Waits for the last checkpoint; throws where that of the current step could not be written.
  func finishSave() throws {
    let began = now()
    try logEndedSave(waiting: true)
    progress.spend(now() - began, on: .checkpoints)
    try context.world.agree {
      guard let failure = saves.failure, failure.step == state.step else { return }
      throw CheckpointError.unsaved(step: failure.step, reason: failure.reason)
    }
  }

  /// Logs the result of the save in progress, if it has ended.
  ///
  /// - Parameter waiting: whether to wait for its end.
  /// - Throws: an error of communication; a failed save is logged and kept in `saves.failure`.
  func logEndedSave(waiting: Bool) throws {
    if waiting { context.watchdog.enter(.checkpoint) }
    guard let ended = try trainer.endedSave(waiting: waiting), context.isFirst else { return }
    saves.failure = ended.failure.map { (ended.step, $0) }
    if let failure = ended.failure {
      log.write("no checkpoint at step \(ended.step.grouped): \(failure); training continues")
      return
    }
    saves.seconds = ended.seconds
    log.write(
      String(
        format: "checkpoint at step %d (%.1f s in the background, %.2f s blocking)",
        ended.step, ended.seconds, saves.stall))
  }
}
