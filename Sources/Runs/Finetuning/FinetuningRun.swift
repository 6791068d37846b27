import Collectives
import Corpus
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Training

/// The fine-tuning of one seed on this rank, from its newest checkpoint to the last step.
///
/// All ranks go through the same lines; where only rank zero has something to do (files, the screen),
/// the others have nothing. After each pass over the data the dev sets are answered; the model of the
/// best pass is kept in `model/`. Checkpoints are there to go on from, and go when the seed is done.
package final class FinetuningRun {
  package struct Options {
    var hours: Double?
    var saveMinutes: Double
    var logEvery: Int

    package init(hours: Double? = nil, saveMinutes: Double, logEvery: Int) {
      self.hours = hours
      self.saveMinutes = saveMinutes
      self.logEvery = logEvery
    }
  }

  package enum Ending {
    case finished(FinetuningResults.SeedResult)
    case stopped
  }

  private let plan: FinetuningPlan
  private let seed: UInt64
  private let folder: String
  private let options: Options
  private let world: Communicator
  private let trainer: Trainer<FinetuningObjective>
  private let store: CheckpointStore
  private let log: RunLog
  private let metrics: MetricsLog
  private let watchdog: Watchdog
  private let start: Double
  private let epochEnds: [Int]
  private var state = CheckpointState(step: 0)
  private var evaluations: [FinetuningResults.SeedResult] = []
  private var lastSave = now()
  /// Steps, tokens and seconds since the last line of metrics.
  private var since = (steps: 0, tokens: 0, seconds: 0.0)

  private var isFirst: Bool { world.rank == 0 }

  /// - Parameters:
  ///   - folder: the seed's own.
  ///   - start: when the program began.
  package init(
    _ plan: FinetuningPlan, seed: UInt64, folder: String, world: Communicator, layout: RankLayout,
    options: Options, log: RunLog, watchdog: Watchdog, start: Double
  ) throws {
    (self.plan, self.seed, self.folder, self.world) = (plan, seed, folder, world)
    (self.options, self.log, self.watchdog, self.start) = (options, log, watchdog, start)
    metrics = MetricsLog(folder: folder) { log.say($0) }
    store = CheckpointStore(runFolder: folder, keep: 1, fault: FaultInjection.hook)
    epochEnds = plan.recipe.epochEnds(examples: plan.train.examples.count)
    trainer = try plan.trainer(seed: seed, world: world, processors: layout.processors)
    trainer.watch = { watchdog.enter($0, $1) }
  }

  package func end() { trainer.end() }

  /// Trains to the last step, or until asked to stop.
  package func train() throws -> Ending {
    try restore()
    if let note = state.move(to: .current), isFirst { log.say("note: seed \(seed): \(note)") }
    let first = state.step
    while true {
      if isEvaluationDue {
        do { try evaluate() } catch TrainerError.stopped { return try stop() }
      }
      if state.step == plan.steps { return .finished(try finish()) }
      watchdog.enter(state.step == first ? .start : .step, step: state.step)
      let report = try trainer.step(state.step, wishes: wishes())
      watchdog.add(stepSeconds: report.seconds)
      state.step += 1
      state.tokens += report.tokens
      state.seconds += report.seconds
      since = (since.steps + 1, since.tokens + report.tokens, since.seconds + report.seconds)
      if state.step % options.logEvery == 0 || state.step == plan.steps { try tell(report) }
      if state.step == plan.steps { continue }
      if report.wishes.stop { return try stop() }
      if report.wishes.save { try save() }
    }
  }

  /// Whether a pass over the data has ended whose model is not yet measured.
  private var isEvaluationDue: Bool {
    epochEnds.prefix { $0 <= state.step }.count > evaluations.count
  }

  /// What this rank wants after the next step.
  private func wishes() -> Trainer<FinetuningObjective>.Wishes {
    let late = options.hours.map { now() - start >= $0 * 3600 } ?? false
    return .init(
      stop: StopSignals.isRequested || (isFirst && late),
      save: isFirst && now() - lastSave >= options.saveMinutes * 60)
  }

  /// Weights, state and evaluations of the newest sound checkpoint, or first weights.
  private func restore() throws {
    let newest = try world.agree { isFirst ? try store.newestSound { log.say($0) } : nil }
    let encoded = try newest.map { Array(try JSONEncoder().encode($0.state)) } ?? []
    let bytes = try world.broadcast(encoded)
    if bytes.isEmpty {
      if isFirst { metrics.cut(afterStep: 0) }
      trainer.objective.layout.initialize(trainer.weights, seed: seed)
      try world.agree {
        if isFirst && !plan.isScratch {
          try plan.source.load(into: trainer.weights, plan.model)
        }
      }
      return try trainer.shareWeights()
    }
    state = try JSONDecoder().decode(CheckpointState.self, from: Data(bytes))
    try trainer.load(checkpoint: newest?.path ?? "")
    let file = newest.flatMap { FileManager.default.contents(atPath: $0.path + "/" + Self.list) }
    evaluations = try JSONDecoder().decode(
      [FinetuningResults.SeedResult].self, from: Data(try world.broadcast(Array(file ?? Data()))))
    if isFirst {
      metrics.cut(afterStep: state.step)
      log.say("seed \(seed): going on after step \(state.step.grouped) of \(plan.steps.grouped)")
    }
  }

  /// The evaluations so far, among the files of a checkpoint.
  private static let list = "evaluations.json"

  private func save() throws {
    watchdog.enter(.checkpoint)
    let files = [Self.list: try JSONEncoder().encode(evaluations)]
    try trainer.beginSave(state, into: store, files: isFirst ? files : [:])
    let failure = try trainer.endedSave(waiting: true)?.failure
    lastSave = now()
    try world.agree {
      if let failure { throw CheckpointError.unsaved(step: state.step, reason: failure) }
    }
  }

  private func stop() throws -> Ending {
    try save()
    if isFirst {
      log.say(
        "seed \(seed): stopped as asked after step \(state.step.grouped) of "
          + "\(plan.steps.grouped); the same command goes on from here")
    }
    return .stopped
  }

  /// Says how training gets on.
  private func tell(_ report: Trainer<FinetuningObjective>.StepReport) throws {
    let values = try trainer.metrics()
    defer { since = (0, 0, 0) }
    guard isFirst else { return }
    let speed = Double(since.tokens) / max(since.seconds, 1e-9)
    var line = MetricsLine(step: state.step, split: .training, tokens: state.tokens)
    line.append(.seconds, state.seconds)
    line.append(values)
    line.append([(.learningRate, report.rate), (.tokensPerSecond, speed)])
    metrics.append(line)
    let left = Double(plan.steps - state.step) * state.seconds / Double(state.step)
    log.say(
      "seed \(seed): step \(state.step.grouped)/\(plan.steps.grouped) "
        + String(format: "loss %.4f, ", line[.loss] ?? .nan) + "\(Int(speed).grouped) tokens/s, "
        + "\(ProgressLog.duration(left)) left")
  }

  /// Answers what can be measured; the best model on the dev set so far is written. Throws
  /// `TrainerError.stopped` when asked to stop meanwhile, as if it had not begun.
  private func evaluate() throws {
    try trainer.settle()
    let predictor = Predictor(trainer.evaluator, scale: plan.configuration.targetScale)
    let scores = try plan.measured.flatMap { set in
      try set.scores(of: predictor.answers(to: set)).map { (set, $0) }
    }
    let result = FinetuningResults.SeedResult(
      seed: seed, epoch: evaluations.count + 1, step: state.step,
      values: scores.map { $0.1.value.isNaN ? nil : $0.1.value })
    let isBest = evaluations.allSatisfy { result.isBetter(than: $0) }
    evaluations.append(result)
    try world.agree {
      guard isFirst else { return }
      // A start that was killed before the next checkpoint may have evaluated this step already.
      if !metrics.holds(.heldOut, step: state.step) {
        var line = MetricsLine(step: state.step, split: .heldOut)
        line.append(.epoch, Double(result.epoch))
        for (set, score) in scores {
          line.append(
            named: MetricName.score(score.metric.rawValue, of: set.split.name), score.value)
        }
        metrics.append(line)
      }
      let list = scores.map {
        "\($0.0.split.name) \($0.1.metric.rawValue) \(String(format: "%.4f", $0.1.value))"
      }
      log.say(
        "seed \(seed): epoch \(result.epoch): \(list.joined(separator: ", "))"
          + (result.isUndefined
            ? " (undefined: the answers or the right ones are all the same)"
            : isBest ? "" : " (an earlier one was better)"))
      if isBest { try writeModel() }
    }
  }

  private func writeModel() throws {
    func write() throws {
      try FinetunedFolder.write(
        trainer.weights, plan.model, plan.configuration.model, plan.source.tokenizer,
        to: folder + "/model")
    }
    guard let scale = plan.configuration.targetScale else { return try write() }
    try plan.model.withScores(of: scale, in: trainer.weights, write)
  }

  /// The best evaluation, written down; checkpoints are needed no more.
  private func finish() throws -> FinetuningResults.SeedResult {
    guard var best = evaluations.first else { preconditionFailure("the last step is evaluated") }
    for next in evaluations where next.isBetter(than: best) { best = next }
    try world.agree {
      guard isFirst else { return }
      try AtomicFile.write(
        JSONEncoder().encode(best), to: folder + "/" + FinetuningResults.seedFile, replacing: true)
      try? FileManager.default.removeItem(atPath: store.folder)
    }
    return best
  }
}
