import Electra
import Foundation
import Layers

/// A metric with its title, meaning and unit in a report.
struct ReportMetric {
  /// The name in `metrics.jsonl`.
  let name: String
  let title: String
  /// The caption of its figure.
  let meaning: String
  var unit = Unit.plain
  /// Whether higher values are better; nil if there is no better direction.
  var higherIsBetter: Bool?

  init(
    _ name: MetricName, title: String, meaning: String, unit: Unit = .plain,
    higherIsBetter: Bool? = nil
  ) {
    (self.name, self.title, self.meaning) = (name.rawValue, title, meaning)
    (self.unit, self.higherIsBetter) = (unit, higherIsBetter)
  }

  /// A metric without a description, such as one of another version.
  init(unknown name: String) {
    (self.name, title, meaning) = (name, MetricName.words(name), "")
  }

  enum Unit {
    case plain
    /// A fraction of 1, shown in percent.
    case percent
    /// Shown with an exponent if it is small.
    case ratio
    case count
  }

  /// The value as text, short enough for an axis label.
  func text(_ value: Double) -> String {
    switch unit {
    case .percent: String(format: "%.3g %%", 100 * value)
    case .count: value.shortened
    case .ratio where abs(value) < 0.01 && value != 0: String(format: "%.3g", value)
    case .plain, .ratio: abs(value) >= 10_000 ? value.shortened : String(format: "%.4g", value)
    }
  }

  /// The metrics of `names` by group; those without a description are in the last group.
  static func groups(of names: Set<String>) -> [(title: String, metrics: [ReportMetric])] {
    let known = [("Learning", learning), ("Steps", steps), ("Speed and waiting", speed)]
    let described = Set(known.flatMap { $0.1.map(\.name) })
    let others = names.subtracting(described).subtracting(positions).sorted()
      .map(ReportMetric.init(unknown:))
    return (known + [("Others", others)]).map { title, metrics in
      (title, metrics.filter { names.contains($0.name) })
    }.filter { !$0.1.isEmpty }
  }

  /// Values that locate a line in the run instead of measuring it.
  private static let positions = Set([MetricName.seconds, .examples, .epoch].map(\.rawValue))

  static let learning = [
    Self(.loss, title: "Loss", meaning: "weighted sum of all losses", higherIsBetter: false),
    Self(
      .generatorLoss, title: "Generator loss", meaning: "nats per masked token",
      higherIsBetter: false),
    Self(
      .mlmLoss, title: "Language model loss", meaning: "nats per predicted token",
      higherIsBetter: false),
    Self(
      .discriminatorLoss, title: "Discriminator loss", meaning: "nats per token",
      higherIsBetter: false
    ),
    Self(
      .discriminatorAUC, title: "Discriminator AUC",
      meaning: "probability that a replaced token scores above an original one",
      higherIsBetter: true),
    Self(
      .discriminatorSkill, title: "Discriminator skill",
      meaning: "1 - loss / entropy of the replaced fraction; 0 is chance", higherIsBetter: true),
    Self(
      .pairAccuracy, title: "Minimal pairs",
      meaning: "pairs whose acceptable sentence has the higher score; 50 % is chance",
      unit: .percent, higherIsBetter: true),
    Self(
      .generatorAccuracy, title: "Generator accuracy",
      meaning: "masked tokens whose top prediction is right", unit: .percent, higherIsBetter: true),
    Self(
      .mlmAccuracy, title: "Language model accuracy",
      meaning: "predicted tokens whose top prediction is right", unit: .percent,
      higherIsBetter: true),
    Self(
      .sampledAccuracy, title: "Correct samples",
      meaning: "samples equal to the original; they count as not replaced", unit: .percent),
    Self(
      .generatorReward, title: "Generator reward",
      meaning: "mean reward of samples from the discriminator"),
    Self(
      .replacedFraction, title: "Replaced tokens", meaning: "share of all tokens", unit: .percent),
    Self(
      .discriminatorAccuracy, title: "Discriminator accuracy",
      meaning: "tokens classified correctly; 1 - replaced fraction is chance", unit: .percent,
      higherIsBetter: true),
    Self(
      .discriminatorPrecision, title: "Discriminator precision",
      meaning: "share of tokens predicted replaced that are replaced", unit: .percent,
      higherIsBetter: true),
    Self(
      .discriminatorRecall, title: "Discriminator recall",
      meaning: "share of replaced tokens predicted replaced", unit: .percent, higherIsBetter: true),
  ]

  private static let steps = [
    Self(
      .gradientNorm, title: "Gradient norm", meaning: "before clipping", unit: .ratio),
    Self(.learningRate, title: "Learning rate", meaning: "of the step", unit: .ratio),
  ]

  private static let speed = [
    Self(
      .tokensPerSecond, title: "Tokens per second",
      meaning: "in steps, without evaluation and checkpoints", unit: .count,
      higherIsBetter: true),
    Self(
      .communicationFraction, title: "Reduction and waiting for ranks",
      meaning: "share of the time in steps", unit: .percent, higherIsBetter: false),
    Self(
      .inputFraction, title: "Input", meaning: "share of the time in steps", unit: .percent,
      higherIsBetter: false),
    Self(
      .evaluationFraction, title: "Evaluation", meaning: "share of the time since the start",
      unit: .percent, higherIsBetter: false),
    Self(
      .checkpointFraction, title: "Checkpoints",
      meaning: "share of the time since the start that blocks training", unit: .percent,
      higherIsBetter: false),
  ]
}

extension Double {
  /// The number with three digits and a letter for thousands, millions and so on: 65.5 M.
  var shortened: String {
    for (power, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    where abs(self) >= power {
      return String(format: "%.3g %@", self / power, letter)
    }
    return String(format: "%.3g", self)
  }
}
