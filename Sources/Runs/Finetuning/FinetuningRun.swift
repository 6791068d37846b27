import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Training

/// The fine-tuning of one seed or fold on this rank, from its newest checkpoint to the last step.
///
/// After each epoch the dev sets are scored; `model/` has the model of the best epoch so far, or of
/// the last epoch of a fold.
/// Checkpoints serve only to resume, and are removed at the end.
final class FinetuningRun {
  private let plan: FinetuningPlan
  private let seed: UInt64
  private let run: ResumableRun<FinetuningObjective>
  /// The steps after which an epoch ends.
  private let epochEnds: [Int]
  /// The scores of the epochs so far.
  private var evaluations: [FinetuningResults.SeedResult] = []

  private var context: RunContext { run.context }

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - plan: the fine-tuning.
  ///   - seed: of all random numbers.
  ///   - context: of this seed.
  ///   - settings: how often to log and save, and when to stop; only the newest checkpoint is kept.
  /// - Throws: an error of communication.
  init(
    _ plan: FinetuningPlan, seed: UInt64, context: RunContext, settings: RunSettings
  ) throws {
    (self.plan, self.seed) = (plan, seed)
    epochEnds = plan.recipe.epochEnds(examples: plan.train.examples.count)
    var settings = settings
    (settings.keep, settings.lossDecimals) = (1, 4)
    let trainer = try plan.trainer(
      seed: seed, world: context.world, processors: context.layout.processors)
    run = try ResumableRun(trainer, context, settings)
  }

  /// Ends the threads, once a save that is in progress has ended.
  func end() { run.end() }

  /// Trains to the last step; returns the best evaluation, nil when a stop was requested.
  ///
  /// Every rank must call it.
  func train() throws -> FinetuningResults.SeedResult? {
    guard case .finished = try run.train(self) else { return nil }
    return try finish()
  }

  /// Writes the best evaluation and removes the checkpoints.
  private func finish() throws -> FinetuningResults.SeedResult {
    guard var best = evaluations.first else { preconditionFailure("the last step is evaluated") }
    for next in evaluations where replaces(next, best) { best = next }
    try context.world.agree {
      guard context.isFirst else { return }
      try AtomicFile.write(
        best.json().utf8, to: context.folder + "/" + FinetuningResults.seedFile, replacing: true)
      try? FileManager.default.removeItem(atPath: run.store.folder)
    }
    return best
  }
}

extension FinetuningRun {
  /// Whether the model of one evaluation is kept instead of that of an earlier one.
  ///
  /// The better one is kept. The examples that a fold holds out must select nothing, or its scores
  /// would be too good: the later one is kept.
  private func replaces(
    _ result: FinetuningResults.SeedResult, _ earlier: FinetuningResults.SeedResult
  ) -> Bool {
    plan.fold == nil ? result.isBetter(than: earlier) : result.epoch > earlier.epoch
  }
}

extension FinetuningRun: TrainingJob {
  /// The file of a checkpoint with the evaluations so far.
  private static let evaluationsFile = "evaluations.json"

  func makeFirstWeights() throws -> Bool {
    try plan.initialize(run.trainer.weights, seed: seed, world: context.world)
    return false
  }

  func restore(from checkpoint: String?) throws {
    let file = checkpoint.flatMap {
      FileManager.default.contents(atPath: $0 + "/" + Self.evaluationsFile)
    }
    evaluations = try JSONDecoder().decode(
      [FinetuningResults.SeedResult].self,
      from: Data(try context.world.broadcast(Array(file ?? Data()))))
  }

  func checkpointFiles() throws -> [String: Data] {
    [Self.evaluationsFile: Data(try evaluations.json().utf8)]
  }

  /// Whether an epoch that ended at or before `step` is not evaluated yet.
  func isEvaluationDue(after step: Int) -> Bool {
    epochEnds.prefix { $0 <= step }.count > evaluations.count
  }

  func isEvaluationMissing(at state: CheckpointState) -> Bool {
    isEvaluationDue(after: state.step)
  }

  /// Scores dev and labelled test sets, and writes the model if it is the best on dev so far.
  func evaluate(_ state: CheckpointState) throws {
    try run.trainer.waitForWeights()
    let predictor = Predictor(run.trainer.evaluator, scale: plan.configuration.targetScale)
    let predicted = try plan.measured.map {
      (set: $0, predictions: try predictor.predictions(for: $0))
    }
    let scores = predicted.flatMap { set, predictions in
      set.scores(of: predictions).map { (set.split.name, $0) }
    }
    let result = FinetuningResults.SeedResult(
      seed: seed, fold: plan.fold, epoch: evaluations.count + 1, step: state.step,
      values: scores.map { $0.1.value.isNaN ? nil : $0.1.value },
      classes: predicted.compactMap { $0.set.classScores(of: $0.predictions) })
    let isBest = evaluations.allSatisfy { replaces(result, $0) }
    evaluations.append(result)
    try context.world.agree {
      guard context.isFirst else { return }
      log(result, scores, isBest: isBest)
      if isBest { try writeModel() }
    }
  }

  /// Logs an evaluation, with the scores of each split.
  private func log(
    _ result: FinetuningResults.SeedResult, _ scores: [(split: String, score: Score)], isBest: Bool
  ) {
    let metrics = context.metrics
    // A start that was killed before the next checkpoint may have evaluated this step already.
    if !metrics.holds(.heldOut, step: result.step) {
      var line = MetricsLine(step: result.step, split: .heldOut)
      line.append(.epoch, Double(result.epoch))
      for (split, score) in scores {
        line.append(named: MetricName.score(score.metric.rawValue, of: split), score.value)
      }
      metrics.append(line)
    }
    let list = scores.map {
      "\($0.split) \($0.score.metric.rawValue) \(String(format: "%.4f", $0.score.value))"
    }
    context.log.write(
      "epoch \(result.epoch): \(list.joined(separator: ", "))"
        + (result.isUndefined
          ? " (undefined: all predictions, or all correct answers, are equal)"
          : isBest ? "" : " (not the best)"))
  }

  /// Writes the current weights as a model, its regression outputs in the unit of the data.
  private func writeModel() throws {
    let weights = run.trainer.weights
    var description = plan.configuration.model
    description.arithmetic = plan.recipe.arithmetic
    func write() throws {
      try FinetunedFolder.write(
        weights, plan.model, description, plan.source.tokenizer, to: context.folder + "/model")
    }
    guard let scale = plan.configuration.targetScale else { return try write() }
    try plan.model.withScores(of: scale, in: weights, write)
  }
}
