import Collectives
import Foundation
import Models
import Platform
import Training

/// What a run knows of its checkpoints.
struct SaveStatus {
  /// When the last save began.
  var began = now()
  /// The steps after which the last checkpoint was begun, or from which the run was restored.
  var step: Int?
  /// Seconds for which the save under way interrupted training.
  var stall = 0.0
  /// The step and the reason when the last save failed; on rank zero.
  var failure: (step: Int, reason: String)?
  /// Seconds that a save takes, as far as is known.
  var seconds: Double

  /// Bytes a second that are assumed before the first save.
  private static let assumedSpeed = 2e8

  /// - Parameter weights: how many the model has; two moments are saved with each.
  init(weights: Int) { seconds = 3 * 4 * Double(weights) / Self.assumedSpeed }
}

extension ResumableRun {
  /// Whether the schedule asks for a checkpoint after the step just done.
  var isSaveDue: Bool {
    settings.saveEvery.map { state.step % $0 == 0 } ?? false
      || settings.milestones.contains(state.step)
  }

  /// Restores the newest sound checkpoint, or makes the first weights.
  func restore(_ job: some TrainingJob) throws {
    let (world, log) = (context.world, log)
    let newest = try world.agree { context.isFirst ? try store.newestIntact { log.write($0) } : nil }
    let encoded = try newest.map { Array(try JSONEncoder().encode($0.state)) } ?? []
    let bytes = try world.broadcast(encoded)
    if bytes.isEmpty { return try begin(job) }
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(bytes))
    guard state.step >= firstStep else {
      throw UsageError(
        "the newest sound checkpoint is after step \(state.step.grouped), before the present phase; "
          + "make the last of earlier_phases in the run's config.json the present one to go on")
    }
    try trainer.load(checkpoint: newest?.path ?? "")
    try job.restore(from: newest?.path)
    saves.step = state.step
    guard context.isFirst else { return }
    context.metrics.cut(afterStep: state.step)
    log.write("going on after step \(state.step.grouped) of \(steps.grouped)")
  }

  /// Starts a new run.
  private func begin(_ job: some TrainingJob) throws {
    guard firstStep == 0 else { throw CheckpointError.notFound(path: store.folder) }
    if context.isFirst { context.metrics.cut(afterStep: 0) }
    let mustSave = try job.makeFirstWeights()
    try trainer.shareWeights()
    if try context.world.sum([mustSave ? 1 : 0])[0] > 0 { try save(job) }
  }

  /// Begins a checkpoint, after the end of one that is still being written.
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

  /// Waits for the last checkpoint; throws when the one of the last step could not be written.
  func finishSave() throws {
    let began = now()
    try logEndedSave(waiting: true)
    progress.spend(now() - began, on: .checkpoints)
    try context.world.agree {
      guard let failure = saves.failure, failure.step == state.step else { return }
      throw CheckpointError.unsaved(step: failure.step, reason: failure.reason)
    }
  }

  /// Logs how the save under way ended, once it has.
  func logEndedSave(waiting: Bool) throws {
    if waiting { context.watchdog.enter(.checkpoint) }
    guard let ended = try trainer.endedSave(waiting: waiting), context.isFirst else { return }
    saves.failure = ended.failure.map { (ended.step, $0) }
    if let failure = ended.failure {
      log.write("no checkpoint after step \(ended.step.grouped): \(failure); training goes on")
      return
    }
    saves.seconds = ended.seconds
    log.write(
      String(
        format: "checkpoint after step %d, written in %.1f s, for which training stood %.2f s",
        ended.step, ended.seconds, saves.stall))
  }
}
