import Corpus
import Electra
import Foundation
import Layers
import Platform
import Tokenization
import Training

/// Checks the health of a run on rank zero: passes each line of metrics to `HealthMonitor` and
/// reports its warnings in the log and in `metrics.jsonl` (split `health`).
final class RunHealth {
  private let configuration: PretrainingConfiguration
  private let folder: String
  private let log: RunLog
  private let metrics: MetricsLog
  private var health: HealthMonitor
  /// Whether there was a fatal warning in this start.
  private(set) var isFatal = false
  /// The last held-out line, or the last training line before the first evaluation.
  private var last: MetricsLine?

  /// Checks the run in `folder`; counts some tokens of `data` for their unigram entropy.
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

  /// Replays the metrics up to `step`, so that warnings do not depend on stops, and checks the
  /// recipe.
  ///
  /// Warnings that were reported before are not reported again.
  func begin(step: Int) {
    let lines = RunMetrics(runFolder: folder).lines.filter { $0.step <= step }
    for line in lines where line.split == .health {
      line.text(.verdict).flatMap(HealthIssue.init).map { health.markReported($0) }
    }
    write(health.checkRecipe(step: step))
    for line in lines where line.split != .health { write(health.check(line)) }
  }

  /// Checks a training line or a held-out line.
  func check(_ line: MetricsLine) {
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

  /// Ends the log of a finished run: that there was no warning, and the published learning curve at
  /// the same number of tokens.
  func conclude(_ state: CheckpointState) {
    if health.reported.isEmpty { log.write("health: no warnings") }
    for sentence in PublishedCurve.comparison(configuration, tokens: state.tokens, line: last) {
      log.write(sentence)
    }
  }

  /// Reports a non-finite gradient, which ends the run, and writes its first slice to a file.
  func note(_ divergence: Divergence, _ vocabulary: Vocabulary) {
    let step = divergence.step + 1
    note(HealthWarning(.notFinite, isFatal: true, step: step, divergence.description))
    guard case .slice(let slice) = divergence.origin else { return }
    let path = "\(folder)/not-finite-\(step).json"
    do {
      try NonFiniteStep(divergence, slice, vocabulary).write(to: path)
      log.write("health: the text of step \(step.grouped), slice \(slice.number), is in \(path)")
    } catch {
      log.write("health: the text of step \(step.grouped) was not written: \(error)")
    }
  }
}
