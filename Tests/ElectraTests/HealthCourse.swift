import Electra
import Foundation
import Layers
import Tensors

/// Synthetic metrics of whole runs, and the warnings of a health monitor about them.
enum HealthCourse {
  /// A run that is monitored line by line.
  struct Run {
    var configuration: PretrainingConfiguration
    var examples = 30_000_000
    var unigramEntropy = 7.1
    /// Steps between lines.
    var interval = 500
    /// The relative noise of a training line.
    var noise = 0.01

    init(_ preset: Preset = .small, vocabulary: Int = 30_522) {
      configuration = preset.configuration(vocabularySize: vocabulary)
    }

    /// The warnings about a run up to step `last`.
    ///
    /// `training` gives the metrics of a step. After every tenth line there is a held-out line,
    /// whose metrics `heldOut` gives.
    func warnings(
      to last: Int, heldOut: ((Int) -> [MetricName: Double])? = nil,
      _ training: (Int) -> [MetricName: Double]
    ) -> [HealthWarning] {
      let subject = HealthMonitor.Subject(
        configuration: configuration, examples: examples, unigramEntropy: unigramEntropy)
      var health = HealthMonitor(of: subject)
      var warnings = health.checkRecipe(step: 0)
      let recipe = configuration.recipe
      for step in stride(from: interval, through: last, by: interval) {
        let stream = RandomStream(seed: 3, site: 4, step: step, sequence: 0)
        var index = 0
        func line(_ values: [MetricName: Double], _ split: MetricsLine.Split) -> MetricsLine {
          var line = MetricsLine(
            step: step, split: split, tokens: step * recipe.batchSize * recipe.length)
          for (name, value) in values.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            index += 1
            let shift = Double(stream.number(below: 2001, index: index)) / 1000 - 1
            line.append(name, split == .heldOut ? value : value * (1 + noise * shift))
          }
          return line
        }
        warnings += health.check(line(training(step), .training))
        if step % (10 * interval) == 0, let heldOut {
          warnings += health.check(line(heldOut(step), .heldOut))
        }
      }
      return warnings
    }
  }

  /// The metrics of a line of joint training.
  static func line(
    generator: Double, discriminator: Double, replaced: Double, area: Double
  ) -> [MetricName: Double] {
    let entropy = -replaced * log(replaced) - (1 - replaced) * log(1 - replaced)
    return [
      .loss: generator + 50 * discriminator, .generatorLoss: generator,
      .discriminatorLoss: discriminator, .discriminatorAUC: area,
      .discriminatorSkill: 1 - discriminator / entropy, .replacedFraction: replaced,
    ]
  }

  /// Interpolates between points in the logarithm of the step; constant outside them.
  static func value(_ points: [(Double, Double)], at step: Int) -> Double {
    let step = Double(step)
    if step <= points[0].0 { return points[0].1 }
    for (before, after) in zip(points, points.dropFirst()) where step <= after.0 {
      let share = log(step / before.0) / log(after.0 / before.0)
      return before.1 + share * (after.1 - before.1)
    }
    return points[points.count - 1].1
  }

  /// The published run of small, extended to the first step.
  static func published(_ step: Int) -> [MetricName: Double] {
    func curve(_ metric: MetricName, from first: [(Double, Double)]) -> Double {
      let points = PublishedCurve.points.first { $0.metric == metric }?.points ?? []
      return value(first + points.map { (Double($0.step), $0.value) }, at: step)
    }
    return line(
      generator: curve(.generatorLoss, from: [(1, 10.33), (2000, 7.2)]),
      discriminator: curve(.discriminatorLoss, from: [(1, 0.693), (2000, 0.402)]),
      replaced: value([(1, 0.138), (8000, 0.136), (150_000, 0.096), (1e6, 0.093)], at: step),
      area: curve(.discriminatorAUC, from: [(1, 0.5), (2000, 0.51)]))
  }
}
