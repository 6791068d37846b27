import Layers
import Tensors

extension Health {
  /// What is kept of the lines so far.
  struct MetricsHistory: Sendable {
    /// Lines that figures are averaged over: one line is the mean of a few steps, or of one, and noisy.
    static let window = 20
    /// Lines below which an average says nothing.
    static let fewest = 10

    /// The step of the last line of training.
    private(set) var step: Int?
    /// The loss of the last lines, of the same sum of losses.
    private(set) var losses: [Double] = []
    /// The lowest median of `fewest` losses, and how many lines the median has been far above it.
    private(set) var lowest = Double.infinity
    private(set) var linesAbove = 0
    /// The networks that name tokens, the generator first.
    private(set) var learners: [Learner]
    /// The discriminator's figures of the last lines, and the first line that had any.
    private(set) var skills: [Double] = []
    private(set) var areas: [Double] = []
    private(set) var detectsSince: (step: Int, tokens: Int)?
    /// The step since which the discriminator has said the same of every token, nil when it does not.
    private(set) var flatSince: Int?
    /// Held-out evaluations of the discriminator's skill.
    private(set) var heldOutSkill = Series(rises: true)

    init(_ task: PretrainingTask) {
      let metrics: [MetricName?] = [
        task.hasGenerator ? Learner.generatorMetric : nil, task.objective.predicts ? .mlmLoss : nil,
      ]
      learners = metrics.compactMap { $0.map(Learner.init) }
    }

    /// The generator's, where it is a network.
    var generator: Learner? { learners.first { $0.isGenerator } }

    /// What a network knows of language.
    struct Learner: Sendable {
      fileprivate static let generatorMetric = MetricName.generatorLoss

      fileprivate let metric: MetricName
      /// The loss of the last lines.
      fileprivate(set) var losses: [Double] = []
      /// The step and tokens at which it began to learn: a second stage begins in the middle.
      fileprivate(set) var since: (step: Int, tokens: Int)?
      /// Held-out evaluations.
      fileprivate(set) var heldOut = Series(rises: false)

      fileprivate init(metric: MetricName) { self.metric = metric }

      var isGenerator: Bool { metric == Self.generatorMetric }
    }

    /// A held-out figure beside that of training.
    struct Series: Sendable {
      /// Whether higher is better.
      let rises: Bool
      private(set) var best: (value: Double, step: Int)?
      private(set) var last: Double?
      /// Evaluations at the end that were all worse than the best by `margin`.
      private(set) var worse = 0
      /// The mean over the last lines of training before the evaluation.
      private(set) var training: Double?

      /// Whether a loss has risen for two evaluations, far above the one of training.
      var isOverfitted: Bool {
        guard let last, let training else { return false }
        return worse >= 2 && last - training > 0.5
      }

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
      if detectsSince == nil { detectsSince = (line.step, line.tokens ?? 0) }
      skills.keep(skill)
      if let area = line[.discriminatorAUC] { areas.keep(area) }
      let isFlat = skills.count >= Self.fewest && skills.mean < 0.02 && areas.mean < 0.56
      flatSince = isFlat ? flatSince ?? line.step : nil
    }

    /// A second stage adds the discriminator's loss to the sum, which begins anew.
    private mutating func add(loss: Double, detects: Bool) {
      if detects && detectsSince == nil { (losses, lowest, linesAbove) = ([], .infinity, 0) }
      losses.keep(loss)
      guard losses.count >= Self.fewest else { return }
      let median = losses.suffix(Self.fewest).upperMedian
      lowest = min(lowest, median)
      linesAbove = median > 1.3 * lowest ? linesAbove + 1 : 0
    }

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
}

extension [Double] {
  /// Adds a value; the oldest goes when there are more than a window.
  fileprivate mutating func keep(_ value: Double) {
    append(value)
    if count > Health.MetricsHistory.window { removeFirst() }
  }
}
