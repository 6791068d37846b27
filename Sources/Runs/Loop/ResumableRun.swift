import Collectives
import Foundation
import Layers
import Platform
import Tensors
import Training

/// Training on this rank that can be interrupted anywhere and resumed with the same result.
///
///     let run = try ResumableRun(trainer, context, settings)
///     defer { run.end() }
///     let ending = try run.train(job)
///
/// It begins at the newest sound checkpoint, or with the job's first weights, and trains to the last
/// step of the trainer's schedule, or until a signal, the time limit or the job's health stops it; then
/// it saves a checkpoint. An evaluation that a stop prevented comes first in the next start.
///
/// All ranks execute the same code; the others skip what is for rank zero alone (files, messages).
package final class ResumableRun<O: TrainingObjective> {
  let context: RunContext
  package let trainer: Trainer<O>
  let settings: RunSettings
  let store: CheckpointStore
  let progress: ProgressLog
  /// Where the run is: the steps done, the tokens seen and the seconds that took.
  package internal(set) var state = CheckpointState(step: 0)
  var saves: SaveStatus
  private var evaluationSeconds = 0.0

  var log: RunLog { context.log }
  var firstStep: Int { trainer.settings.schedule.firstStep }
  /// The steps of the whole run, those of earlier phases included.
  var steps: Int { trainer.settings.schedule.firstStep + trainer.settings.schedule.steps }

  /// The steps of a start after which its timeline is drawn.
  private static var timelineSteps: Int { 20 }

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - trainer: ended with the run.
  ///   - context: of this run; its folder holds the checkpoints.
  ///   - settings: how often to log and save, and when to stop.
  /// - Throws: an error of communication.
  package init(_ trainer: Trainer<O>, _ context: RunContext, _ settings: RunSettings) throws {
    (self.trainer, self.context, self.settings) = (trainer, context, settings)
    let schedule = trainer.settings.schedule
    store = CheckpointStore(
      runFolder: context.folder, keep: settings.keep, milestones: settings.milestones,
      fault: FaultInjection.hook)
    progress = try ProgressLog(
      steps: schedule.firstStep + schedule.steps, hours: settings.hours,
      world: context.world, log: context.log, metrics: context.metrics, start: context.start)
    saves = SaveStatus(weights: trainer.weights.count)
    let watchdog = context.watchdog
    trainer.watch = { watchdog.enter($0, $1) }
    trainer.onWait = { watchdog.mark($0 ? Watchdog.waitingForWeights : "computation") }
  }

  /// Ends the threads, and a save that an error interrupted.
  package func end() {
    try? logEndedSave(waiting: true)
    trainer.end()
  }

  /// Trains to the last step, or until asked to stop.
  ///
  /// Every rank must call it.
  ///
  /// - Parameter job: what is trained.
  /// - Returns: how it ended, the same on every rank.
  /// - Throws: `TrainerError.diverged`, `CheckpointError.unsaved` when the last checkpoint is missing,
  ///   and the job's own errors.
  package func train(_ job: some TrainingJob) throws -> RunEnding {
    try restore(job)
    if let note = state.move(to: .current), context.isFirst { log.write("note: \(note)") }
    job.willTrain(from: state)
    if settings.timeline != nil { try Timeline.turnOn(context.world) }
    let first = state.step
    var isStopped = try job.isEvaluationMissing(at: state) && !evaluate(job)
    while !isStopped && state.step < steps {
      isStopped = try advance(job, first: first)
      if state.step == first + Self.timelineSteps { try drawTimeline() }
    }
    if isStopped && saves.step != state.step { try save(job) }
    try finishSave()
    try drawTimeline()
    if context.isFirst { log.write(progress.shares) }
    if isStopped { return try stop(job) }
    if context.isFirst {
      log.write("done: \(state.step.grouped) steps, \(state.tokens.grouped) tokens")
    }
    return .finished
  }

  /// Does a step and what follows it; returns whether the run must stop.
  private func advance(_ job: some TrainingJob, first: Int) throws -> Bool {
    let report = try step(job, isFirst: state.step == first)
    try logEndedSave(waiting: false)
    let isLast = state.step == steps
    if state.step % settings.logEvery == 0 || isLast {
      job.didLog(try progress.tell(report, trainer.metrics(), state))
    }
    // There is no time for an evaluation before a stop: the next start makes up for it.
    if report.requests.stop && !isLast { return true }
    if job.isEvaluationDue(after: state.step), try !evaluate(job) { return true }
    if isSaveDue || report.requests.save && !isLast { try save(job) }
    return false
  }

  private func step(_ job: some TrainingJob, isFirst: Bool) throws -> Trainer<O>.StepReport {
    context.watchdog.enter(isFirst ? .start : .step, step: state.step)
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
    progress.add(report)
    if isFirst && context.isFirst {
      log.write(String(format: "first step done %.1f s after the start", now() - context.start))
    }
    return report
  }

  /// What this rank requests for the time after the next step.
  private func requests(_ job: some TrainingJob) -> Trainer<O>.StopRequests {
    // The time left must suffice for the step, the evaluation after it and the last checkpoint.
    let needed =
      saves.seconds + progress.stepSeconds
      + (job.isEvaluationDue(after: state.step + 1) ? evaluationSeconds : 0)
    let isLate = settings.hours.map { now() - context.start + needed >= $0 * 3600 } ?? false
    return .init(
      stop: StopSignals.isRequested || (context.isFirst && isLate) || job.stopsForHealth,
      save: context.isFirst && now() - saves.began >= settings.saveMinutes * 60)
  }

  /// Evaluates; returns false, without a result, when asked to stop meanwhile.
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
    // Rank zero alone may know of the run's health.
    let isUnhealthy = try context.world.sum([job.stopsForHealth ? 1 : 0])[0] > 0
    if context.isFirst {
      log.write(
        "stopped \(isUnhealthy ? "because of its health" : "as asked") after step "
          + "\(state.step.grouped) of \(steps.grouped); the same command goes on from here")
    }
    return isUnhealthy ? .unhealthy : .stopped
  }

  /// Writes the timeline of the steps so far, once.
  private func drawTimeline() throws {
    guard let path = settings.timeline, let trace = try Timeline.turnOff(context.world) else {
      return
    }
    do {
      try AtomicFile.write(trace, to: path, replacing: true)
      log.write("timeline: \(path)")
    } catch {
      log.write("no timeline: \(error)")
    }
  }
}
