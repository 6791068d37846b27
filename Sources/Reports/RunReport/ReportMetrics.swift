import Electra
import Foundation

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
    let others = names.subtracting(described).subtracting(addresses).sorted().map {
      ReportMetric(name: $0, title: $0.replacingOccurrences(of: "_", with: " "), meaning: "")
    }
    return (known + [("Others", others)]).map { title, metrics in
      (title, metrics.filter { names.contains($0.name) })
    }.filter { !$0.1.isEmpty }
  }

  /// Numbers of a line that say when it was.
  private static let addresses: Set = ["step", "tokens", "seconds", "time", "examples", "epoch"]

  static let learning = [
    Self(name: "loss", title: "Loss", meaning: "what is trained for, all of it", rises: false),
    Self(
      name: "generator_loss", title: "Generator loss", meaning: "nats a masked token", rises: false),
    Self(
      name: "mlm_loss", title: "Language model loss", meaning: "nats a predicted token",
      rises: false),
    Self(
      name: "discriminator_loss", title: "Discriminator loss", meaning: "nats a token", rises: false
    ),
    Self(
      name: "discriminator_auc", title: "Discriminator AUC",
      meaning: "chance that a replaced token scores above another", rises: true),
    Self(
      name: "discriminator_skill", title: "Discriminator skill",
      meaning: "1 - loss / entropy of the replaced fraction; 0 is guessing", rises: true),
    Self(
      name: "generator_accuracy", title: "Generator accuracy",
      meaning: "masked tokens that its best guess names", unit: .percent, rises: true),
    Self(
      name: "mlm_accuracy", title: "Language model accuracy",
      meaning: "drawn tokens that its best guess names", unit: .percent, rises: true),
    Self(
      name: "sampled_accuracy", title: "Samples that are right",
      meaning: "they count as not replaced", unit: .percent),
    Self(
      name: "generator_reward", title: "Generator reward",
      meaning: "what samples earn from the discriminator"),
    Self(
      name: "replaced_fraction", title: "Replaced tokens", meaning: "of all tokens", unit: .percent),
    Self(
      name: "discriminator_accuracy", title: "Discriminator accuracy",
      meaning: "tokens judged right; 1 - replaced is guessing", unit: .percent, rises: true),
    Self(
      name: "discriminator_precision", title: "Discriminator precision",
      meaning: "of tokens called replaced, those that are", unit: .percent, rises: true),
    Self(
      name: "discriminator_recall", title: "Discriminator recall",
      meaning: "of replaced tokens, those found", unit: .percent, rises: true),
  ]

  private static let steps = [
    Self(
      name: "gradient_norm", title: "Gradient norm", meaning: "before it is clipped", unit: .ratio),
    Self(name: "learning_rate", title: "Learning rate", meaning: "of the step", unit: .ratio),
  ]

  private static let speed = [
    Self(
      name: "tokens_per_second", title: "Tokens a second", meaning: "in steps alone", unit: .count,
      rises: true),
    Self(
      name: "communication_fraction", title: "Reduction and waiting for ranks",
      meaning: "of the time of steps", unit: .percent, rises: false),
    Self(
      name: "input_fraction", title: "Input", meaning: "of the time of steps", unit: .percent,
      rises: false),
    Self(
      name: "evaluation_fraction", title: "Evaluation", meaning: "of the time since the start",
      unit: .percent, rises: false),
    Self(
      name: "checkpoint_fraction", title: "Checkpoints",
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
