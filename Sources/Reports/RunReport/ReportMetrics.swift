import Electra
import Foundation
import Layers

/// A metric as a report shows it.
struct ReportMetric {
  /// Its name in `metrics.jsonl`.
  let name: String
  let title: String
  /// What it says, in a few words.
  let meaning: String
  var unit = Unit.plain
  /// Whether high values are good; nil where neither is.
  var rises: Bool?

  init(
    _ name: MetricName, title: String, meaning: String, unit: Unit = .plain, rises: Bool? = nil
  ) {
    (self.name, self.title, self.meaning) = (name.rawValue, title, meaning)
    (self.unit, self.rises) = (unit, rises)
  }

  /// A metric that nobody has described.
  init(unknown name: String) {
    (self.name, title, meaning) = (name, MetricName.words(name), "")
  }

  enum Unit {
    case plain
    /// A part of one, in percent.
    case percent
    /// Shown by its powers of ten.
    case ratio
    case count
  }

  /// A value in words, short enough for an axis.
  func text(_ value: Double) -> String {
    switch unit {
    case .percent: String(format: "%.3g %%", 100 * value)
    case .count: value.shortened
    case .ratio where abs(value) < 0.01 && value != 0: String(format: "%.3g", value)
    case .plain, .ratio: abs(value) >= 10_000 ? value.shortened : String(format: "%.4g", value)
    }
  }

  /// The metrics that runs have, by what they are about; those that nobody has described at the end.
  static func groups(of names: Set<String>) -> [(title: String, metrics: [ReportMetric])] {
    let known = [("Learning", learning), ("Steps", steps), ("Speed and waits", speed)]
    let described = Set(known.flatMap { $0.1.map(\.name) })
    let others = names.subtracting(described).subtracting(addresses).sorted()
      .map(ReportMetric.init(unknown:))
    return (known + [("Others", others)]).map { title, metrics in
      (title, metrics.filter { names.contains($0.name) })
    }.filter { !$0.1.isEmpty }
  }

  /// Values of a line that say where it belongs.
  private static let addresses = Set([MetricName.seconds, .examples, .epoch].map(\.rawValue))

  static let learning = [
    Self(.loss, title: "Loss", meaning: "what is trained for, all of it", rises: false),
    Self(
      .generatorLoss, title: "Generator loss", meaning: "nats a masked token", rises: false),
    Self(
      .mlmLoss, title: "Language model loss", meaning: "nats a predicted token",
      rises: false),
    Self(
      .discriminatorLoss, title: "Discriminator loss", meaning: "nats a token", rises: false
    ),
    Self(
      .discriminatorAUC, title: "Discriminator AUC",
      meaning: "chance that a replaced token scores above another", rises: true),
    Self(
      .discriminatorSkill, title: "Discriminator skill",
      meaning: "1 - loss / entropy of the replaced fraction; 0 is guessing", rises: true),
    Self(
      .generatorAccuracy, title: "Generator accuracy",
      meaning: "masked tokens that its best guess names", unit: .percent, rises: true),
    Self(
      .mlmAccuracy, title: "Language model accuracy",
      meaning: "drawn tokens that its best guess names", unit: .percent, rises: true),
    Self(
      .sampledAccuracy, title: "Samples that are right",
      meaning: "they count as not replaced", unit: .percent),
    Self(
      .generatorReward, title: "Generator reward",
      meaning: "what samples earn from the discriminator"),
    Self(
      .replacedFraction, title: "Replaced tokens", meaning: "of all tokens", unit: .percent),
    Self(
      .discriminatorAccuracy, title: "Discriminator accuracy",
      meaning: "tokens judged right; 1 - replaced is guessing", unit: .percent, rises: true),
    Self(
      .discriminatorPrecision, title: "Discriminator precision",
      meaning: "of tokens called replaced, those that are", unit: .percent, rises: true),
    Self(
      .discriminatorRecall, title: "Discriminator recall",
      meaning: "of replaced tokens, those found", unit: .percent, rises: true),
  ]

  private static let steps = [
    Self(
      .gradientNorm, title: "Gradient norm", meaning: "before it is clipped", unit: .ratio),
    Self(.learningRate, title: "Learning rate", meaning: "of the step", unit: .ratio),
  ]

  private static let speed = [
    Self(
      .tokensPerSecond, title: "Tokens a second", meaning: "in steps alone", unit: .count,
      rises: true),
    Self(
      .communicationFraction, title: "Reduction and waiting for ranks",
      meaning: "of the time of steps", unit: .percent, rises: false),
    Self(
      .inputFraction, title: "Input", meaning: "of the time of steps", unit: .percent,
      rises: false),
    Self(
      .evaluationFraction, title: "Evaluation", meaning: "of the time since the start",
      unit: .percent, rises: false),
    Self(
      .checkpointFraction, title: "Checkpoints",
      meaning: "of the time since the start, in which training stood", unit: .percent, rises: false),
  ]
}

extension Double {
  /// With three digits and a letter for thousands, millions and so on: 65.5 M.
  var shortened: String {
    for (power, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    where abs(self) >= power {
      return String(format: "%.3g %@", self / power, letter)
    }
    return String(format: "%.3g", self)
  }
}
