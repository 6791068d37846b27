import Corpus
import Electra
import Foundation
import Platform
import Tokenization
import Training

/// A run's health, on rank zero: hands lines of metrics to the judge, and says what it finds in the
/// log and in `metrics.jsonl`, where its lines carry `"split": "health"`.
final class RunHealth {
  private let configuration: PretrainingConfiguration
  private let folder: String
  private let log: RunLog
  private let metrics: MetricsLog
  private var health: Health
  /// Whether the run has been found gravely ill in this start.
  private(set) var isGrave = false
  /// The last figures, of held-out examples where there are any.
  private var figures: [(name: String, value: Double)] = []
  private var hasHeldOut = false

  /// - Parameters:
  ///   - data: some of whose tokens are counted.
  ///   - folder: the run's.
  init(
    _ configuration: PretrainingConfiguration, _ data: ShardSet, folder: String, log: RunLog,
    metrics: MetricsLog
  ) throws {
    (self.configuration, self.folder) = (configuration, folder)
    (self.log, self.metrics) = (log, metrics)
    health = Health(
      of: Health.Subject(
        configuration: configuration, examples: data.trainCount,
        unigramEntropy: try data.unigramEntropy(seed: configuration.recipe.seed)))
  }

  /// Comes to the state of a run that was never stopped, by reading its lines up to `step`, and judges
  /// the recipe. What was said before is not said again.
  func begin(step: Int) {
    let lines = RunMetrics(path: folder + "/metrics.jsonl").lines.filter { $0.step <= step }
    for line in lines where line.split == "health" {
      line.texts["verdict"].flatMap(Illness.init).map { health.silence($0) }
    }
    say(health.judgeRecipe(step: step))
    var tokens = 0
    for line in lines where line.split != "health" {
      tokens = line.numbers["tokens"].map { Int($0) } ?? tokens
      say(
        health.judge(
          Reading(
            step: line.step, tokens: tokens, isHeldOut: line.split == "held_out",
            values: line.numbers)))
    }
  }

  /// Judges a line of training, or one of held-out examples.
  func judge(
    _ values: [(name: String, value: Double)], _ state: CheckpointState, isHeldOut: Bool = false
  ) {
    if isHeldOut || !hasHeldOut { figures = values }
    hasHeldOut = hasHeldOut || isHeldOut
    say(
      health.judge(
        Reading(
          step: state.step, tokens: state.tokens, isHeldOut: isHeldOut,
          values: Dictionary(values.map { ($0.name, $0.value) }) { $1 })))
  }

  private func say(_ verdicts: [Verdict]) {
    for verdict in verdicts {
      log.say("health: \(verdict.sentence)")
      note(verdict)
    }
  }

  private func note(_ verdict: Verdict) {
    isGrave = isGrave || verdict.isGrave
    metrics.append([
      ("step", .count(verdict.step)), ("split", .text("health")),
      ("verdict", .text(verdict.illness.rawValue)),
      ("severity", .text(verdict.isGrave ? "grave" : "note")),
      ("sentence", .text(verdict.sentence)),
    ])
  }

  /// The last words of a run: what was found, and the published curve at the same number of tokens.
  func conclude(_ state: CheckpointState) {
    if health.said.isEmpty { log.say("health: nothing found") }
    for sentence in PublishedCurve.comparison(configuration, tokens: state.tokens, values: figures)
    { log.say(sentence) }
  }

  /// Notes that a step's gradient is not finite, which ends the run, and keeps the slice that made it
  /// so, to be looked at.
  func note(_ divergence: Divergence, _ vocabulary: Vocabulary) {
    let step = divergence.step + 1
    note(Verdict(.notFinite, isGrave: true, step: step, divergence.description))
    guard case .slice(let slice) = divergence.origin else { return }
    let path = "\(folder)/not-finite-\(step).json"
    do {
      try NonFiniteStep(divergence, slice, vocabulary).write(to: path)
      log.say("health: \(path) holds the text of step \(step.grouped), slice \(slice.number)")
    } catch {
      log.say("health: the text of step \(step.grouped) is not kept: \(error)")
    }
  }
}
