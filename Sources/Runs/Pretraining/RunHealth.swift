import Corpus
import Electra
import Foundation
import Layers
import Platform
import Tokenization
import Training

/// A run's health, on rank zero: hands lines of metrics to the judge, and says what it finds in the
/// log and in `metrics.jsonl`, as lines of their own split.
final class RunHealth {
  private let configuration: PretrainingConfiguration
  private let folder: String
  private let log: RunLog
  private let metrics: MetricsLog
  private var health: HealthMonitor
  /// Whether the run has been found gravely ill in this start.
  private(set) var isFatal = false
  /// The last line, of held-out examples where there are any.
  private var last: MetricsLine?

  /// Judges the run in `folder`; some tokens of `data` are counted for their entropy.
  init(
    _ configuration: PretrainingConfiguration, _ data: ShardSet, folder: String, log: RunLog,
    metrics: MetricsLog
  ) throws {
    (self.configuration, self.folder) = (configuration, folder)
    (self.log, self.metrics) = (log, metrics)
    health = HealthMonitor(
      of: HealthMonitor.Subject(
        configuration: configuration, examples: data.trainCount,
        unigramEntropy: try data.unigramEntropy(seed: configuration.recipe.seed)))
  }

  /// Comes to the state of a run that was never stopped, by reading its lines up to `step`, and judges
  /// the recipe.
  ///
  /// What was said before is not said again.
  func begin(step: Int) {
    let lines = RunMetrics(runFolder: folder).lines.filter { $0.step <= step }
    for line in lines where line.split == .health {
      line.text(.verdict).flatMap(HealthIssue.init).map { health.markReported($0) }
    }
    write(health.checkRecipe(step: step))
    for line in lines where line.split != .health { write(health.check(line)) }
  }

  /// Judges a line of training, or one of held-out examples.
  func judge(_ line: MetricsLine) {
    if line.split == .heldOut || last?.split != .heldOut { last = line }
    write(health.check(line))
  }

  private func write(_ warnings: [HealthWarning]) {
    for warning in warnings {
      log.write("health: \(warning.sentence)")
      note(warning)
    }
  }

  private func note(_ warning: HealthWarning) {
    isFatal = isFatal || warning.isFatal
    var line = MetricsLine(step: warning.step, split: .health)
    line.append(.verdict, text: warning.issue.rawValue)
    line.append(.severity, text: warning.isFatal ? "grave" : "note")
    line.append(.sentence, text: warning.sentence)
    metrics.append(line)
  }

  /// The last words of a run: what was found, and the published curve at the same number of tokens.
  func conclude(_ state: CheckpointState) {
    if health.reported.isEmpty { log.write("health: nothing found") }
    for sentence in PublishedCurve.comparison(configuration, tokens: state.tokens, line: last) {
      log.write(sentence)
    }
  }

  /// Notes that a step's gradient is not finite, which ends the run, and keeps the slice that made it
  /// so, to be looked at.
  func note(_ divergence: Divergence, _ vocabulary: Vocabulary) {
    let step = divergence.step + 1
    note(HealthWarning(.notFinite, isFatal: true, step: step, divergence.description))
    guard case .slice(let slice) = divergence.origin else { return }
    let path = "\(folder)/not-finite-\(step).json"
    do {
      try NonFiniteStep(divergence, slice, vocabulary).write(to: path)
      log.write("health: \(path) holds the text of step \(step.grouped), slice \(slice.number)")
    } catch {
      log.write("health: the text of step \(step.grouped) is not kept: \(error)")
    }
  }
}
