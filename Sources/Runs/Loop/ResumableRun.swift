import Collectives
import Foundation
import Layers
import Platform
import Tensors
import Training

/// Training on this rank that can be interrupted at any point and resumed with the same result.
///
///     let run = try ResumableRun(trainer, context, settings)
///     defer { run.end() }
///     let ending = try run.train(job)
///
/// A start continues from the newest valid checkpoint, or from the job's first weights, and trains
/// to the last step of the trainer's schedule. A signal, the time limit or a fatal health warning
/// stops it with a checkpoint. If a stop prevents an evaluation that is due, the next start does it
/// first.
///
/// All ranks execute the same code; rank zero alone writes files and messages. A decision that
/// depends on one rank (a signal, the clock) is exchanged with each step, so that all ranks agree.
package final class ResumableRun<O: TrainingObjective> {
  let context: RunContext
  package let trainer: Trainer<O>
  let settings: RunSettings
  let store: CheckpointStore
  let progress: ProgressLog
  /// The progress of the run over all starts: steps, tokens and seconds of training.
  package internal(set) var state = CheckpointState(step: 0)
  var saves: SaveStatus
  private var evaluationSeconds = 0.0

  var log: RunLog { context.log }
  var firstStep: Int { trainer.settings.schedule.firstStep }
  /// The steps of the whole run, those of earlier phases included.
  var steps: Int { trainer.settings.schedule.end }

  /// The number of steps of a start that are in its timeline.
  private static var timelineSteps: Int { 20 }

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - trainer: the trainer, which `end` also ends.
  ///   - context: of this run; its folder holds the checkpoints.
  ///   - settings: how often to log and save, and when to stop.
  /// - Throws: an error of communication.
  package init(_ trainer: Trainer<O>, _ context: RunContext, _ settings: RunSettings) throws {
    (self.trainer, self.context, self.settings) = (trainer, context, settings)
    store = CheckpointStore(
      runFolder: context.folder, keep: settings.keep, milestones: settings.milestones,
      fault: FaultInjection.hook)
    progress = try ProgressLog(
      steps: trainer.settings.schedule.end, settings: settings, context: context)
    saves = SaveStatus(weights: trainer.weights.count)
    let watchdog = context.watchdog
    trainer.watch = { watchdog.enter($0, $1) }
    trainer.onSlice = { watchdog.restart() }
    trainer.onWait = { watchdog.mark($0 ? Watchdog.waitingForWeights : "computation") }
  }

  /// Ends the threads, once a save that is in progress has ended.
  package func end() {
    context.log.showProgress("")
    try? logEndedSave(waiting: true)
    trainer.end()
  }

  /// Trains to the last step, or until a stop is requested.
  ///
  /// Every rank must call it.
  ///
  /// - Parameter job: what is trained.
  /// - Returns: how it ended, the same on every rank.
  /// - Throws: `TrainerError.diverged`, `CheckpointError.unsaved` when the last checkpoint could
  ///   not be written, and the errors of the job.
  package func train(_ job: some TrainingJob) throws -> RunEnding {
    try restore(job)
    if let note = state.move(to: .current), context.isFirst { log.write("note: \(note)") }
    job.willTrain(from: state)
    if settings.timeline != nil { try Timeline.turnOn(context.world) }
    let first = state.step
    var isStopped = try job.isEvaluationMissing(at: state) && !evaluate(job)
    while !isStopped && state.step < steps {
      isStopped = try advance(job, first: first)
      if state.step == first + Self.timelineSteps { try writeTimeline() }
    }
    if isStopped && saves.step != state.step { try save(job) }
    try finishSave()
    try writeTimeline()
    if context.isFirst { log.write(progress.shares) }
    if isStopped { return try stop(job) }
    if context.isFirst {
      log.write("done: \(state.step.grouped) steps, \(state.tokens.grouped) tokens")
    }
    return .finished
  }

  /// Does a step with its logging, evaluation and checkpoint; returns whether the run must stop.
  private func advance(_ job: some TrainingJob, first: Int) throws -> Bool {
    let report = try step(job, in: state.step == first ? .start : .step)
    try logEndedSave(waiting: false)
    let isLast = state.step == steps
    if state.step % settings.logEvery == 0 || isLast {
      job.didLog(try progress.logTraining(report, trainer.metrics(), state))
    }
    // A stop must be quick: the next start does an evaluation that is due now.
    if report.requests.stop && !isLast { return true }
    if job.isEvaluationDue(after: state.step), try !evaluate(job) { return true }
    if isSaveDue || report.requests.save && !isLast { try save(job) }
    return false
  }

  /// Does a step, whose time the watchdog limits by the deadline of `section`.
  private func step(
    _ job: some TrainingJob, in section: Watchdog.Section
  ) throws -> Trainer<O>.StepReport {
    context.watchdog.enter(section, step: state.step)
    let report: Trainer<O>.StepReport
    do {
      report = try trainer.step(state.step, requests: requests(job))
    } catch TrainerError.diverged(let divergence) {
      job.didDiverge(divergence)
      throw TrainerError.diverged(divergence)
    }
    context.watchdog.add(stepSeconds: report.seconds)
    state.step += 1
    state.tokens += report.tokens
    state.seconds += report.seconds
    progress.add(report, step: state.step)
    return report
  }

  /// What this rank requests to be done after the next step.
  private func requests(_ job: some TrainingJob) -> Trainer<O>.StepRequests {
    // The rest of the time must suffice for the step, the evaluation after it and the checkpoint.
    let needed =
      saves.seconds + progress.stepSeconds
      + (job.isEvaluationDue(after: state.step + 1) ? evaluationSeconds : 0)
    let isLate = settings.hours.map { now() - context.start + needed >= $0 * 3600 } ?? false
    return .init(
      stop: StopSignals.isRequested || (context.isFirst && isLate) || job.stopsForHealth,
      save: context.isFirst && now() - saves.began >= settings.saveMinutes * 60)
  }

  /// Evaluates; returns false, without a result, when a stop was requested meanwhile.
  private func evaluate(_ job: some TrainingJob) throws -> Bool {
    let began = now()
    defer {
      evaluationSeconds = now() - began
      progress.spend(evaluationSeconds, on: .evaluation)
    }
    do { try job.evaluate(state) } catch TrainerError.stopped { return false }
    return true
  }

  /// Logs why the run stops.
  private func stop(_ job: some TrainingJob) throws -> RunEnding {
    // Only rank zero checks health.
    let isUnhealthy = try context.world.anyRank(job.stopsForHealth)
    if context.isFirst {
      log.write(
        "stopped \(isUnhealthy ? "by a fatal health warning" : "as requested") after step "
          + "\(state.step.grouped) of \(steps.grouped); the same command resumes")
    }
    return isUnhealthy ? .unhealthy : .stopped
  }

  /// Writes the timeline of the steps of this start so far, once.
  private func writeTimeline() throws {
    guard let path = settings.timeline, let trace = try Timeline.turnOff(context.world) else {
      return
    }
    do {
      try AtomicFile.write(trace, to: path, replacing: true)
      log.write("timeline written to \(path)")
    } catch {
      log.write("the timeline was not written: \(error)")
    }
  }
}
