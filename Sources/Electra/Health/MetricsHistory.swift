import Layers
import Tensors

/// A summary of the metrics lines so far, from which the health monitor derives its warnings.
struct MetricsHistory: Sendable {
  /// The number of lines in an average; a single line covers few steps and is noisy.
  static let window = 20
  /// The number of lines below which an average is not used.
  static let minimumCount = 10

  /// The step of the last training line; nil before the first.
  private(set) var step: Int?
  /// The total losses of the last lines, all with the same terms.
  private(set) var losses: [Double] = []
  /// The lowest median of `minimumCount` successive losses.
  private(set) var lowest = Double.infinity
  /// The number of successive lines at which the median was far above `lowest`.
  private(set) var linesAbove = 0
  /// The networks that predict tokens, the generator first.
  private(set) var learners: [Learner]
  /// The discriminator's skill in the last lines.
  private(set) var skills: [Double] = []
  /// The discriminator's areas under the ROC curve in the last lines.
  private(set) var areas: [Double] = []
  /// The first line with a discriminator; nil before.
  private(set) var detectionSince: (step: Int, tokens: Int)?
  /// The first line after the ramp of the weight of the discriminator's loss; nil before, and in a
  /// stage without a discriminator.
  private(set) var fullDetectionSince: (step: Int, tokens: Int)?
  /// The step since which the discriminator predicts the same for every token, not counting a ramp
  /// of its weight; nil if it does not.
  private(set) var constantSince: Int?
  /// The discriminator's skill on held-out examples.
  private(set) var heldOutSkill = HeldOutSeries(rises: true)

  /// The step at which a ramp of the weight of the discriminator's loss ends.
  private let rampEnd: Int

  /// An empty history of a run with this task.
  init(_ task: PretrainingTask, rampEnd: Int = 0) {
    self.rampEnd = rampEnd
    let metrics: [MetricName?] = [
      task.hasGenerator ? Learner.generatorMetric : nil, task.objective.predicts ? .mlmLoss : nil,
    ]
    learners = metrics.compactMap { $0.map(Learner.init) }
  }

  /// The generator; nil if it is not a network.
  var generator: Learner? { learners.first { $0.isGenerator } }

  /// The losses of a network that predicts tokens.
  struct Learner: Sendable {
    fileprivate static let generatorMetric = MetricName.generatorLoss

    fileprivate let metric: MetricName
    /// The losses of the last lines.
    fileprivate(set) var losses: [Double] = []
    /// The step and tokens at which its training began, which is late for a second stage; nil
    /// before.
    fileprivate(set) var since: (step: Int, tokens: Int)?
    /// The losses on held-out examples.
    fileprivate(set) var heldOut = HeldOutSeries(rises: false)

    fileprivate init(metric: MetricName) { self.metric = metric }

    var isGenerator: Bool { metric == Self.generatorMetric }
  }

  /// A metric on held-out examples, with its value in training.
  struct HeldOutSeries: Sendable {
    /// Whether higher is better.
    let rises: Bool
    private(set) var best: (value: Double, step: Int)?
    private(set) var last: Double?
    /// The number of successive latest evaluations that were worse than the best by more than a
    /// margin.
    private(set) var worse = 0
    /// The mean over the last training lines before the latest evaluation.
    private(set) var training: Double?

    /// Whether a loss was worse than its best in two evaluations and is far above the training
    /// loss.
    var isOverfitted: Bool {
      guard let last, let training else { return false }
      return worse >= 2 && last - training > 0.5
    }

    /// Adds an evaluation; `training` holds the values of the last training lines.
    mutating func add(_ value: Double, step: Int, margin: Double, training: [Double]) {
      last = value
      self.training = training.isEmpty ? nil : training.mean
      guard let best, (value > best.value) != rises else {
        best = (value, step)
        worse = 0
        return
      }
      worse = abs(value - best.value) > margin ? worse + 1 : 0
    }
  }

  /// Adds a line of training.
  mutating func add(training line: MetricsLine) {
    let start = step == nil ? (0, 0) : (line.step, line.tokens ?? 0)
    step = line.step
    if let loss = line[.loss] {
      add(loss: loss, detects: line[.discriminatorLoss] != nil)
    }
    for index in learners.indices {
      guard let loss = line[learners[index].metric] else { continue }
      learners[index].since = learners[index].since ?? start
      learners[index].losses.keep(loss)
    }
    guard let skill = line[.discriminatorSkill] else { return }
    if detectionSince == nil { detectionSince = (line.step, line.tokens ?? 0) }
    skills.keep(skill)
    if let area = line[.discriminatorAUC] { areas.keep(area) }
    if line.step < rampEnd { return }
    if fullDetectionSince == nil { fullDetectionSince = (line.step, line.tokens ?? 0) }
    let isConstant = skills.count >= Self.minimumCount && skills.mean < 0.02 && areas.mean < 0.56
    constantSince = isConstant ? constantSince ?? line.step : nil
  }

  /// Adds a total loss, and restarts its history when a second stage adds the discriminator's loss.
  private mutating func add(loss: Double, detects: Bool) {
    if detects && detectionSince == nil { (losses, lowest, linesAbove) = ([], .infinity, 0) }
    losses.keep(loss)
    guard losses.count >= Self.minimumCount else { return }
    let median = losses.suffix(Self.minimumCount).upperMedian
    lowest = min(lowest, median)
    linesAbove = median > 1.3 * lowest ? linesAbove + 1 : 0
  }

  /// Adds an evaluation on held-out examples.
  mutating func add(heldOut line: MetricsLine) {
    for index in learners.indices {
      guard let loss = line[learners[index].metric] else { continue }
      learners[index].heldOut.add(
        loss, step: line.step, margin: 0.1, training: learners[index].losses)
    }
    if let skill = line[.discriminatorSkill] {
      heldOutSkill.add(skill, step: line.step, margin: 0.05, training: skills)
    }
  }
}

extension [Double] {
  /// Appends a value, and removes the oldest beyond the window.
  fileprivate mutating func keep(_ value: Double) {
    append(value)
    if count > MetricsHistory.window { removeFirst() }
  }
}
