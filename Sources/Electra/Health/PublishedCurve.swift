import Foundation
import Layers

/// The only published learning curve of ELECTRA that has all figures.
///
/// It is the paper's small model on OpenWebText, with a vocabulary of 30,522, batches of 128 sequences of
/// 128 tokens and a mask of 15 %, figures without dropout (a picture of the author's in google-research/electra, issue 3; kept in
/// cccwam/rc2020_electra). Read off the picture: good to 3 %.
package enum PublishedCurve {
  /// The metrics that it has, as (step, value).
  package static let points: [(metric: MetricName, points: [(step: Int, value: Double)])] = [
    (
      .loss,
      [
        (4000, 23.3), (12_000, 18.6), (16_000, 17.0), (20_000, 16.3), (30_000, 15.6),
        (50_000, 14.8), (100_000, 13.9), (150_000, 13.5), (200_000, 13.1), (300_000, 12.75),
        (400_000, 12.4), (600_000, 12.0), (800_000, 11.5), (1_000_000, 11.2),
      ]
    ),
    (
      .generatorLoss,
      [
        (4000, 6.4), (12_000, 5.2), (16_000, 4.5), (20_000, 4.18), (30_000, 3.90), (50_000, 3.66),
        (100_000, 3.52), (200_000, 3.43), (400_000, 3.36), (600_000, 3.32), (1_000_000, 3.25),
      ]
    ),
    (
      .generatorAccuracy,
      [
        (150_000, 0.427), (200_000, 0.433), (400_000, 0.441), (600_000, 0.445), (800_000, 0.448),
        (1_000_000, 0.454),
      ]
    ),
    (
      .sampledAccuracy,
      [
        (150_000, 0.324), (200_000, 0.328), (400_000, 0.337), (600_000, 0.343),
        (1_000_000, 0.351),
      ]
    ),
    (
      .discriminatorLoss,
      [
        (4000, 0.335), (9000, 0.238), (12_000, 0.2625), (20_000, 0.244), (30_000, 0.235),
        (50_000, 0.223), (100_000, 0.208), (200_000, 0.195), (300_000, 0.188), (400_000, 0.181),
        (600_000, 0.173), (800_000, 0.165), (1_000_000, 0.159),
      ]
    ),
    (
      .discriminatorAccuracy,
      [
        (150_000, 0.927), (200_000, 0.930), (400_000, 0.934), (600_000, 0.937), (800_000, 0.940),
        (1_000_000, 0.942),
      ]
    ),
    (
      .discriminatorAUC,
      [
        (4000, 0.705), (9000, 0.885), (16_000, 0.853), (30_000, 0.862), (50_000, 0.873),
        (100_000, 0.890), (200_000, 0.904), (400_000, 0.917), (600_000, 0.923),
        (1_000_000, 0.936),
      ]
    ),
    (
      .discriminatorPrecision,
      [(150_000, 0.736), (400_000, 0.752), (600_000, 0.758), (1_000_000, 0.783)]
    ),
  ]

  /// The tokens of its steps.
  package static let tokensPerStep = 128 * 128

  /// What a metric was after so many tokens, between points by the logarithm of the tokens; nil before
  /// the first and behind the last.
  package static func value(of metric: MetricName, tokens: Int) -> Double? {
    guard let curve = points.first(where: { $0.metric == metric })?.points else { return nil }
    let step = Double(tokens) / Double(tokensPerStep)
    for (before, after) in zip(curve, curve.dropFirst())
    where Double(before.step) <= step && step <= Double(after.step) {
      let share = log(step / Double(before.step)) / log(Double(after.step) / Double(before.step))
      return before.value + share * (after.value - before.value)
    }
    return nil
  }

  /// How a run's figures compare with the curve at the same number of tokens, and what cannot be
  /// compared: a sentence each.
  ///
  /// Empty for a run that trains for something else.
  package static func comparison(
    _ configuration: PretrainingConfiguration, tokens: Int, line: MetricsLine?
  ) -> [String] {
    guard configuration.recipe.task.isJointElectra else { return [] }
    let step = tokens / tokensPerStep
    let place = String(
      format: "after the same %.4g million tokens (its step %d)", Double(tokens) / 1e6, step)
    let both = (line?.values ?? []).compactMap { metric -> String? in
      guard let name = MetricName(rawValue: metric.name), let value = line?[name],
        let published = self.value(of: name, tokens: tokens)
      else { return nil }
      return name.words + String(format: " %.3g here and %.3g there", value, published)
    }
    if both.isEmpty {
      let first =
        "published curve of small: \(place) it has no point; its first is at step 4,000 (65.5 million "
        + "tokens; generator loss 6.4, AUC 0.705), its generator takes off between 8,000 and 16,000"
      return [step < 4000 ? first : "published curve of small: it ends at step 1,000,000"]
    }
    return [
      "published curve of small, \(place): \(both.joined(separator: ", "))",
      "that run is of OpenWebText; " + differences(configuration),
    ]
  }

  /// What a run does not have in common with the published one, and what that makes of figures.
  private static func differences(_ configuration: PretrainingConfiguration) -> String {
    let (model, recipe) = (configuration.model, configuration.recipe)
    let small = Preset.small.configuration(vocabularySize: 30_522)
    var parts: [String] = []
    if model.vocabularySize != 30_522 { parts.append("vocabulary (\(model.vocabularySize))") }
    if model.discriminator != small.model.discriminator || model.generator != small.model.generator
      || model.embeddingSize != small.model.embeddingSize
    {
      parts.append("size")
    }
    if recipe.length != 128 { parts.append("length (\(recipe.length))") }
    if recipe.batchSize != 128 { parts.append("batch (\(recipe.batchSize))") }
    if recipe.maskFraction != 0.15 { parts.append("mask (\(recipe.maskFraction))") }
    if recipe.discriminatorWeight != 50 {
      parts.append("weight of the discriminator's loss (\(recipe.discriminatorWeight))")
    }
    if recipe.task != PretrainingTask() { parts.append("options of the objective") }
    let others = parts.isEmpty ? "" : ", \(parts.joined(separator: ", "))"
    return model.vocabularySize == 30_522
      ? "other here: text\(others); losses of other text are other losses, AUC compares best"
      : "other here: text\(others); losses over another vocabulary cannot be compared, AUC only "
        + "roughly"
  }
}
