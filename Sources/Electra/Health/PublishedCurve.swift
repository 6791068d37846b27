import Foundation
import Layers

/// The only published learning curve of ELECTRA with all metrics.
///
/// It is the author's plot of the paper's small model on OpenWebText (google-research/electra,
/// issue 3; archived in cccwam/rc2020_electra): vocabulary 30,522, batches of 128 sequences of 128
/// tokens, 15 % masked, metrics without dropout. Values were read from the plot, to about 3 %.
package enum PublishedCurve {
  /// The points of each metric, in ascending order of the steps.
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

  /// The number of tokens per step.
  package static let tokensPerStep = 128 * 128

  /// The value of a metric after this many tokens, interpolated in the logarithm of the tokens.
  ///
  /// Nil before the first point, after the last, and for a metric without a curve.
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

  /// Sentences that compare the metrics of `line` with the curve at the same number of tokens, and
  /// name the differences between the runs.
  ///
  /// Empty unless the run trains ELECTRA jointly.
  package static func comparison(
    _ configuration: PretrainingConfiguration, tokens: Int, line: MetricsLine?
  ) -> [String] {
    guard configuration.isJointElectra else { return [] }
    let step = tokens / tokensPerStep
    let position = String(
      format: "at %.4g million tokens (its step %d)", Double(tokens) / 1e6, step)
    let both = (line?.values ?? []).compactMap { metric -> String? in
      guard let name = MetricName(rawValue: metric.name), let value = line?[name],
        let published = self.value(of: name, tokens: tokens)
      else { return nil }
      return name.words + String(format: " %.3g (published %.3g)", value, published)
    }
    if both.isEmpty {
      let first =
        "published run of small: no value \(position); the first is at step 4,000 (65.5 million "
        + "tokens, generator loss 6.4, AUC 0.705), and its generator leaves the plateau between "
        + "steps 8,000 and 16,000"
      return [step < 4000 ? first : "published run of small: no value after step 1,000,000"]
    }
    return [
      "published run of small, \(position): \(both.joined(separator: ", "))",
      "the published run used OpenWebText; " + differences(configuration),
    ]
  }

  /// The settings that differ from the published run's, and what that means for the metrics.
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
    if recipe.task != PretrainingTask(sampling: recipe.task.sampling)
      || recipe.discriminatorRamp != nil
    {
      parts.append("options of the objective")
    }
    if recipe.muonFactor != nil { parts.append("optimizer (Muon)") }
    let others = parts.isEmpty ? "" : ", \(parts.joined(separator: ", "))"
    return model.vocabularySize == 30_522
      ? "this run differs in text\(others); losses depend on the text, so compare the AUC"
      : "this run differs in text\(others); losses of different vocabularies are not comparable, "
        + "and the AUC only roughly"
  }
}

extension PretrainingConfiguration {
  /// Whether published curves apply: all phases train ELECTRA jointly.
  package var isJointElectra: Bool {
    (earlierPhases.map(\.recipe) + [recipe]).allSatisfy(\.task.isJointElectra)
  }
}
