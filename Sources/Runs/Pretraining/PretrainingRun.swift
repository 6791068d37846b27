import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
import Tokenization
import Training

/// A pre-training run on this rank: from the newest checkpoint to the last step.
///
/// All ranks go through the same lines; where only rank zero has something to do (files, the
/// screen), the others have nothing.
package final class PretrainingRun {
  let configuration: PretrainingConfiguration
  /// The model that a new run begins with, on rank zero; nil for new weights.
  private let initial: InitialModel?
  let data: ShardSet
  let options: Options
  let world: Communicator
  let trainer: Trainer<PretrainingObjective>
  private let store: CheckpointStore
  private let log: RunLog
  let metrics: MetricsLog
  let progress: ProgressLog
  /// On rank zero.
  let health: RunHealth?
  private let watchdog: Watchdog
  var state = CheckpointState(step: 0)
  private var lastSave: Double
  /// Seconds that training stood for the save under way.
  private var saveStall = 0.0
  /// Why the last save failed, nil when it did not.
  private var saveFailure: String?
  /// Seconds that a save and an evaluation take, as far as is known.
  private var saveSeconds: Double
  var evaluationSeconds = 0.0
  private let start: Double

  private var recipe: PretrainingConfiguration.Recipe { configuration.recipe }
  var isFirst: Bool { world.rank == 0 }

  package init(
    configuration: PretrainingConfiguration, initial: InitialModel?, data: ShardSet, folder: String,
    world: Communicator, layout: RankLayout, options: Options, watchdog: Watchdog, start: Double
  ) throws {
    self.configuration = configuration
    self.initial = initial
    self.data = data
    self.options = options
    self.world = world
    self.watchdog = watchdog
    self.start = start
    lastSave = now()
    let log = RunLog(path: world.rank == 0 ? folder + "/log.txt" : nil)
    self.log = log
    let metrics = MetricsLog(folder: folder) { log.say($0) }
    self.metrics = metrics
    progress = try ProgressLog(
      steps: configuration.steps, hours: options.hours, world: world, log: log, metrics: metrics,
      start: start)
    health = try world.agree {
      world.rank == 0
        ? try RunHealth(configuration, data, folder: folder, log: log, metrics: metrics) : nil
    }
    store = CheckpointStore(
      runFolder: folder, keep: options.keep, milestones: configuration.milestones,
      fault: FaultInjection.hook)
    let model = configuration.makeModel()
    let recipe = configuration.recipe
    let (firstStep, firstSample) = (configuration.firstStep, configuration.firstSample)
    var objective = try world.agree { try configuration.objective(model: model, data: data) }
    objective.recomputes = options.recomputes
    trainer = try Trainer(
      objective: objective,
      settings: configuration.trainerSettings, world: world, processors: layout.processors,
      source: { step, sequences in
        try data.batch(
          step: step, sequences: sequences,
          firstSample: firstSample + (step - firstStep) * recipe.batchSize, seed: recipe.seed)
      })
    let cost = RunCost(
      configuration, ranks: world.size, lanes: layout.processors.count, keep: options.keep,
      recomputes: options.recomputes)
    saveSeconds = Double(cost.needs.checkpoint) / 2e8
    trainer.watch = { watchdog.enter($0, $1) }
    trainer.onWait = { watchdog.mark($0 ? Watchdog.waitingForWeights : "computation") }
    try describe(cost, layout, folder: folder)
  }

  /// Says what this run is, where it is, and what it lacks.
  private func describe(_ cost: RunCost, _ layout: RankLayout, folder: String) throws {
    let surroundings = try EnvironmentReport(layout, cost, world: world)
    guard isFirst else { return }
    log.say(cost.summary(examples: data.trainCount))
    log.say(surroundings.summary)
    let disk = cost.diskShortage(folder: folder, existing: store.steps().count)
    for warning in surroundings.warnings + [disk].compactMap(\.self) { log.say("note: \(warning)") }
  }

  /// Ends the lanes, and a save that an error left under way.
  package func end() {
    try? tellOfSave(waiting: true)
    trainer.end()
  }

  /// Trains to the last step, or until asked to stop.
  package func train() throws -> Ending {
    try restore()
    if let note = state.move(to: .current), isFirst { log.say("note: \(note)") }
    let first = state.step
    if options.timeline != nil { try Timeline.turnOn(world) }
    if try isEvaluationMissing(), try !evaluate() { return try stopped() }
    while state.step < configuration.steps {
      if state.step == first + 20 { try drawTimeline() }
      let step = state.step
      watchdog.enter(step == first ? .start : .step, step: step)
      let report = try notingDivergence { try trainer.step(step, wishes: wishes()) }
      watchdog.add(stepSeconds: report.seconds)
      state.step += 1
      state.tokens += report.tokens
      state.seconds += report.seconds
      progress.add(report)
      if step == first && isFirst {
        log.say(String(format: "first step done %.1f s after the start", now() - start))
      }
      try tellOfSave(waiting: false)
      let isLast = state.step == configuration.steps
      if state.step % options.logEvery == 0 || isLast {
        let values = try trainer.metrics()
        try progress.tell(report, values, state)
        health?.judge(values, state)
      }
      // What is asked to stop has no time for an evaluation: the next start makes up for it.
      if try report.wishes.stop && !isLast || isEvaluationDue && !evaluate() {
        try save()
        return try stopped()
      }
      if isLast || report.wishes.save || state.step % options.saveEvery == 0
        || configuration.milestones.contains(state.step)
      {
        try save()
      }
    }
    try finishSave()
    try drawTimeline()
    if isFirst {
      log.say("done: \(state.step.grouped) steps, \(state.tokens.grouped) tokens")
      log.say(progress.shares)
    }
    health?.conclude(state)
    return .finished
  }

  /// Does a step; what made it not finite is kept.
  private func notingDivergence<Result>(_ step: () throws -> Result) throws -> Result {
    do { return try step() } catch TrainerError.diverged(let divergence) {
      health?.note(divergence, data.vocabulary)
      throw TrainerError.diverged(divergence)
    }
  }

  private func stopped() throws -> Ending {
    try finishSave()
    try drawTimeline()
    // Whose wish it was, rank zero knows.
    let isSick = try world.sum([stopsForHealth ? 1 : 0])[0] > 0
    if isFirst {
      log.say(progress.shares)
      log.say(
        "stopped \(isSick ? "because of its health" : "as asked") after step "
          + "\(state.step.grouped) of \(configuration.steps.grouped); the same command goes on from "
          + "here")
    }
    return isSick ? .sick : .stopped
  }

  private var stopsForHealth: Bool { options.stopsWhenSick && health?.isGrave == true }

  /// Writes the picture of the steps so far, once.
  private func drawTimeline() throws {
    guard let path = options.timeline, let trace = try Timeline.turnOff(world) else { return }
    do {
      try AtomicFile.write(trace, to: path, replacing: true)
      log.say("timeline: \(path)")
    } catch {
      log.say("no timeline: \(error)")
    }
  }

  /// What this rank wants after the next step.
  private func wishes() -> Trainer<PretrainingObjective>.Wishes {
    // The last checkpoint counts, and the step and the evaluation before it.
    let needed =
      saveSeconds + progress.stepSeconds + (isEvaluated(state.step + 1) ? evaluationSeconds : 0)
    let late = options.hours.map { now() - start + needed >= $0 * 3600 } ?? false
    return .init(
      stop: StopSignals.isRequested || (isFirst && late) || stopsForHealth,
      save: isFirst && now() - lastSave >= options.saveMinutes * 60)
  }

  /// Weights and state of the newest sound checkpoint, or first weights.
  private func restore() throws {
    let newest = try world.agree { isFirst ? try store.newestSound { log.say($0) } : nil }
    let encoded = try newest.map { Array(try JSONEncoder().encode($0.state)) } ?? []
    let bytes = try world.broadcast(encoded)
    if bytes.isEmpty { return try begin() }
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(bytes))
    guard state.step >= configuration.firstStep else {
      throw UsageError(
        "the newest sound checkpoint is after step \(state.step.grouped), before the present phase; "
          + "make the last of earlier_phases in the run's config.json the present one to go on")
    }
    try trainer.load(checkpoint: newest?.path ?? "")
    if isFirst {
      metrics.cut(afterStep: state.step)
      log.say("going on after step \(state.step.grouped) of \(configuration.steps.grouped)")
    }
    health?.begin(step: state.step)
  }

  /// First weights. Those of another model are saved before the first step, so that a run that goes
  /// on needs them no more.
  private func begin() throws {
    guard configuration.firstStep == 0 else {
      throw CheckpointError.notFound(path: store.folder)
    }
    if isFirst { metrics.cut(afterStep: 0) }
    health?.begin(step: 0)
    trainer.objective.layout.initialize(trainer.weights, seed: recipe.seed)
    try world.agree {
      guard let initial else { return }
      for note in try initial.load(into: trainer.weights, trainer.objective.model) {
        log.say("--init-from: \(note)")
      }
      log.say("the schedule is new: \(recipe.schedule)")
    }
    try trainer.shareWeights()
    if try world.sum([initial == nil ? 0 : 1])[0] > 0 { try save() }
  }

  /// Begins a checkpoint. One that is still being written is waited for.
  private func save() throws {
    watchdog.enter(.checkpoint)
    let began = now()
    try tellOfSave(waiting: true)
    let files = try world.agree { isFirst ? try checkpointFiles() : [:] }
    try trainer.beginSave(state, into: store, files: files)
    lastSave = now()
    saveStall = lastSave - began
    progress.spend(saveStall, on: .checkpoints)
  }

  /// Waits for the last checkpoint; without it the run has not ended well.
  private func finishSave() throws {
    let began = now()
    try tellOfSave(waiting: true)
    progress.spend(now() - began, on: .checkpoints)
    try world.agree {
      if let saveFailure { throw CheckpointError.unsaved(step: state.step, reason: saveFailure) }
    }
  }

  /// Says how a save ended that was under way.
  private func tellOfSave(waiting: Bool) throws {
    if waiting { watchdog.enter(.checkpoint) }
    guard let ended = try trainer.endedSave(waiting: waiting), isFirst else { return }
    saveFailure = ended.failure
    if let failure = ended.failure {
      log.say("no checkpoint after step \(ended.step.grouped): \(failure); training goes on")
      return
    }
    saveSeconds = ended.seconds
    log.say(
      String(
        format: "checkpoint after step %d, written in %.1f s, for which training stood %.2f s",
        ended.step, ended.seconds, saveStall))
  }

  private func checkpointFiles() throws -> [String: Data] {
    [
      "config.json": try configuration.encoded(),
      "vocab.txt": Data(data.vocabulary.fileBytes),
      "tokenizer_config.json": try JSONEncoder().encode(data.description.normalization),
    ]
  }
}
