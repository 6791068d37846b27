import Collectives
import Foundation
import Layers
import Platform
import Training

/// What a run says about its steps: lines of `metrics.jsonl`, and sentences in the log.
package final class ProgressLog {
  private let steps: Int
  private let hours: Double?
  private let world: Communicator
  private let log: RunLog
  private let metrics: MetricsLog
  private let start: Double
  /// The host of every rank.
  private let hosts: [String]
  private var since = Interval()
  /// Seconds of this start beside steps, and all of its steps.
  private var spent: [Expense: Double] = [:]
  private var all = Interval()
  /// Whether the log has said how many steps fit into the hours given.
  private var didTellFit = false

  /// What keeps a run from training.
  enum Expense {
    case evaluation
    /// Snapshots, and waiting for a checkpoint that is still being written.
    case checkpoints
  }

  /// What this rank did in a number of steps.
  private struct Interval {
    var steps = 0
    var tokens = 0
    var seconds = 0.0
    var input = 0.0
    var reduction = 0.0

    mutating func add(_ report: Trainer<some Any>.StepReport) {
      steps += 1
      tokens += report.tokens
      seconds += report.seconds
      input += report.inputSeconds
      reduction += report.reductionSeconds
    }
  }

  /// Logs a run of `steps` steps, whose program began at `start` and may take `hours`.
  init(
    steps: Int, hours: Double?, world: Communicator, log: RunLog, metrics: MetricsLog, start: Double
  ) throws {
    (self.steps, self.hours, self.world, self.log) = (steps, hours, world, log)
    (self.metrics, self.start) = (metrics, start)
    hosts = try world.gather(Array(hostName().utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  func add(_ report: Trainer<some Any>.StepReport) {
    since.add(report)
    all.add(report)
  }

  /// Seconds that training stood still.
  func spend(_ seconds: Double, on expense: Expense) { spent[expense, default: 0] += seconds }

  /// Seconds of a step, the mean of this start; 0 before the first.
  var stepSeconds: Double { all.seconds / Double(max(1, all.steps)) }

  /// The part of this start that an expense took.
  private func share(_ expense: Expense) -> Double {
    spent[expense, default: 0] / max(now() - start, 1e-9)
  }

  /// What this start was spent on, for its last words.
  var shares: String {
    let seconds = now() - start
    let parts = String(
      format:
        "evaluation took %.1f %%, checkpoints stopped training for %.1f %%, input took %.1f %%",
      100 * share(.evaluation), 100 * share(.checkpoints), 100 * all.input / seconds)
    let waiting = String(
      format: ", reduction and waiting for other ranks %.1f %%", 100 * all.reduction / seconds)
    return "of \(Self.duration(seconds)) since the start, " + parts
      + (world.size > 1 ? waiting : "")
  }

  /// Writes the line of the steps since the last one, and returns it.
  ///
  /// Every rank must call it.
  /// The learning rate is that of the last step; `values` are means.
  func tell(
    _ report: Trainer<some Any>.StepReport, _ values: MetricValues, _ state: CheckpointState
  ) throws -> MetricsLine {
    let interval = since
    since = Interval()
    let ranks = try RankTimes(
      seconds: interval.seconds, input: interval.input, exchange: interval.reduction,
      steps: interval.steps, hosts: hosts, world: world)
    let seconds = max(interval.seconds, 1e-9)
    let speed = Double(interval.tokens) / seconds
    var line = MetricsLine(step: state.step, split: .training, tokens: state.tokens)
    line.append(.seconds, state.seconds)
    line.append(values)
    line.append([
      (.learningRate, report.learningRate),
      (.tokensPerSecond, speed), (.communicationFraction, interval.reduction / seconds),
      (.inputFraction, interval.input / seconds), (.evaluationFraction, share(.evaluation)),
      (.checkpointFraction, share(.checkpoints)),
    ])
    guard world.rank == 0 else { return line }
    metrics.append(line)
    let stepSeconds = stepSeconds
    tellFit(state, stepSeconds: stepSeconds)
    log.write(
      "step \(state.step.grouped)/\(steps.grouped) \(Self.summary(line)), "
        + "\(Int(speed).grouped) tokens/s, "
        + "\(Self.duration(Double(steps - state.step) * stepSeconds)) left")
    if let sentence = ranks.sentence { log.write(sentence) }
    return line
  }

  /// Writes the line of held-out examples, and returns it; called on rank zero.
  func tellHeldOut(
    _ values: MetricValues, _ state: CheckpointState, examples: Int
  ) -> MetricsLine {
    var line = MetricsLine(step: state.step, split: .heldOut)
    line.append(.examples, Double(examples))
    line.append(values)
    metrics.append(line)
    log.write("step \(state.step.grouped) held out: \(Self.summary(line))")
    return line
  }

  private func tellFit(_ state: CheckpointState, stepSeconds: Double) {
    guard let hours, !didTellFit else { return }
    let fit = state.step + Int(max(0, hours * 3600 - (now() - start)) / stepSeconds)
    log.write("about \(min(fit, steps).grouped) steps fit into the hours given")
    didTellFit = true
  }

  private static func summary(_ line: MetricsLine) -> String {
    let formats: [(MetricName, String)] = [
      (.loss, "loss %.2f"), (.generatorLoss, "generator %.3f"), (.mlmLoss, "MLM %.3f"),
      (.mlmAccuracy, "accuracy %.3f"), (.discriminatorLoss, "discriminator %.4f"),
      (.discriminatorAUC, "AUC %.3f"), (.discriminatorSkill, "skill %.3f"),
    ]
    return formats.compactMap { name, format in line[name].map { String(format: format, $0) } }
      .joined(separator: ", ")
  }

  package static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds)
    return whole >= 3600
      ? "\(whole / 3600) h \(whole % 3600 / 60) min" : "\(whole / 60) min \(whole % 60) s"
  }
}
