import Collectives
import Foundation
import Layers
import Platform
import Training

/// Reports the steps of a run: lines of `metrics.jsonl`, lines of the log and, on a terminal, a
/// progress line that is redrawn in place.
///
///     step   250/5000  loss 22.65  generator 6.684  ...  20,854 tokens/s  7:38 left
///     step   416/5000  held-out  loss 25.47  generator 5.980  ...  AUC 0.598  skill 0.021
package final class ProgressLog {
  /// The steps of the whole run.
  private let steps: Int
  private let settings: RunSettings
  private let context: RunContext
  /// The host of every rank.
  private let hosts: [String]
  /// The steps since the last line of training.
  private var interval = Interval()
  /// All steps of this start.
  private var total = Interval()
  private var firstStepSeconds = 0.0
  /// Seconds of this start that were spent outside of steps.
  private var spent: [Expense: Double] = [:]
  private var lastRedraw = 0.0

  /// What interrupts training.
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

    var tokensPerSecond: Double { Double(tokens) / max(seconds, 1e-9) }
  }

  /// The steps of a start after which the rest is estimated.
  private static let estimateAfter = 4
  /// Seconds between two drawings of the progress line.
  private static let redrawInterval = 0.2

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - steps: of the whole run, those of earlier phases and starts included.
  ///   - settings: of the run.
  ///   - context: of the run; the time of this start counts from its `start`.
  /// - Throws: an error of communication.
  init(steps: Int, settings: RunSettings, context: RunContext) throws {
    (self.steps, self.settings, self.context) = (steps, settings, context)
    hosts = try context.world.gather(Array(hostName().utf8))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// Counts a step, after which `step` steps of the run are done.
  func add(_ report: Trainer<some Any>.StepReport, step: Int) {
    interval.add(report)
    total.add(report)
    guard context.isFirst else { return }
    if total.steps == 1 {
      firstStepSeconds = report.seconds
      context.log.write(String(format: "first step after %.1f s", elapsed))
    }
    if total.steps == Self.estimateAfter { logEstimate(step: step) }
    redraw(step: step)
  }

  /// Counts `seconds` for which training was interrupted.
  func spend(_ seconds: Double, on expense: Expense) { spent[expense, default: 0] += seconds }

  /// Mean seconds per step of this start; 0 before the first step.
  var stepSeconds: Double { total.seconds / Double(max(1, total.steps)) }

  /// Seconds since the program began.
  private var elapsed: Double { now() - context.start }

  /// The share of this start that an expense took.
  private func share(_ expense: Expense) -> Double {
    spent[expense, default: 0] / max(elapsed, 1e-9)
  }

  /// How the time of this start was spent, for the end of the log.
  var shares: String {
    let seconds = max(elapsed, 1e-9)
    var parts = [
      ("evaluation", share(.evaluation)), ("checkpoints", share(.checkpoints)),
      ("input", total.input / seconds),
    ]
    if context.world.size > 1 {
      parts.append(("reduction and waiting for ranks", total.reduction / seconds))
    }
    return "\(Self.duration(seconds)) since the start: "
      + parts.map { $0 + String(format: " %.1f %%", 100 * $1) }.joined(separator: ", ")
  }

  /// Writes the line of the steps since the last one, and returns it.
  ///
  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - report: of the last step, whose learning rate is in the line.
  ///   - values: the means over these steps.
  ///   - state: the steps done.
  /// - Returns: the line; it is written on rank zero.
  /// - Throws: an error of communication.
  func logTraining(
    _ report: Trainer<some Any>.StepReport, _ values: MetricValues, _ state: CheckpointState
  ) throws -> MetricsLine {
    let interval = interval
    self.interval = Interval()
    let ranks = try RankTimes(
      seconds: interval.seconds, input: interval.input, exchange: interval.reduction,
      steps: interval.steps, hosts: hosts, world: context.world)
    let seconds = max(interval.seconds, 1e-9)
    var line = MetricsLine(step: state.step, split: .training, tokens: state.tokens)
    line.append(.seconds, state.seconds)
    line.append(values)
    line.append([
      (.learningRate, report.learningRate), (.tokensPerSecond, interval.tokensPerSecond),
      (.communicationFraction, interval.reduction / seconds),
      (.inputFraction, interval.input / seconds), (.evaluationFraction, share(.evaluation)),
      (.checkpointFraction, share(.checkpoints)),
    ])
    line.append(ranks.metrics)
    guard context.isFirst else { return line }
    context.metrics.append(line)
    context.log.write(
      columns([position(state.step)] + losses(line) + speed(interval, step: state.step)))
    if settings.isVerbose, let sentence = ranks.sentence { context.log.write(sentence) }
    return line
  }

  /// Writes the line of held-out examples, and returns it; called on rank zero.
  func logHeldOut(_ values: MetricValues, _ state: CheckpointState, examples: Int) -> MetricsLine {
    var line = MetricsLine(step: state.step, split: .heldOut)
    line.append(.examples, Double(examples))
    line.append(values)
    context.metrics.append(line)
    context.log.write(columns([position(state.step), "held-out"] + losses(line)))
    return line
  }

  /// Logs how long the rest of the run takes, and how much of it `--hours` allows.
  ///
  /// Without `--hours`, a rest below a minute is not logged.
  private func logEstimate(step: Int) {
    // The first step also makes connections and touches all memory for the first time.
    let seconds = (total.seconds - firstStepSeconds) / Double(total.steps - 1)
    let rest = steps - step
    let left = Double(rest) * seconds
    guard rest > 0, seconds > 0, left >= 60 || settings.hours != nil else { return }
    var text = "estimate: \(Self.duration(left)) for \(rest.of("step"))"
    if let hours = settings.hours {
      let fitting = max(0, hours * 3600 - elapsed) / seconds
      text += ", of which \(Int(min(fitting, Double(rest))).grouped) fit into --hours"
    }
    context.log.write(text)
  }

  /// Redraws the progress line, a few times a second.
  private func redraw(step: Int) {
    guard context.log.isTerminal, now() - lastRedraw >= Self.redrawInterval else { return }
    lastRedraw = now()
    context.log.showProgress(columns([position(step)] + speed(interval, step: step)))
  }
}

// The columns of a line.

extension ProgressLog {
  private func columns(_ parts: [String]) -> String { parts.joined(separator: "  ") }

  /// `step   250/5000`.
  private func position(_ step: Int) -> String {
    "step  " + "\(step)".rightAligned("\(steps)".count) + "/\(steps)"
  }

  private func losses(_ line: MetricsLine) -> [String] {
    var formats: [(MetricName, String)] = [
      (.loss, "loss %5.\(settings.lossDecimals)f"), (.generatorLoss, "generator %.3f"),
      (.mlmLoss, "MLM %.3f"), (.mlmAccuracy, "accuracy %.3f"),
      (.discriminatorLoss, "discriminator %.3f"), (.discriminatorAUC, "AUC %.3f"),
    ]
    if line.split == .heldOut {
      formats += [(.discriminatorSkill, "skill %.3f"), (.pairAccuracy, "pairs %.3f")]
    }
    return formats.compactMap { name, format in line[name].map { String(format: format, $0) } }
  }

  private func speed(_ interval: Interval, step: Int) -> [String] {
    [
      Int(interval.tokensPerSecond).grouped.rightAligned(6) + " tokens/s",
      Self.clock(Double(steps - step) * stepSeconds) + " left",
    ]
  }

  /// A time as minutes and seconds, `7:38`, with hours where there are some, `1:07:38`.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(min(max(0, seconds), 1e9))
    let (hours, minutes) = (whole / 3600, whole % 3600 / 60)
    let end = ":" + (whole % 60).zeroPadded(2)
    return hours > 0 ? "\(hours):\(minutes.zeroPadded(2))\(end)" : "\(minutes)\(end)"
  }

  /// A time in words: `2 h 5 min`, `7 min 38 s`, `38 s`.
  package static func duration(_ seconds: Double) -> String {
    let whole = Int(bounded: seconds)
    let (hours, minutes) = (whole / 3600, whole % 3600 / 60)
    if hours > 0 { return "\(hours) h \(minutes) min" }
    return minutes > 0 ? "\(minutes) min \(whole % 60) s" : "\(whole) s"
  }
}
