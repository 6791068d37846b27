import Layers
import Tensors

/// The results of fine-tuning with one or more seeds or folds: the content of `results.json`.
package struct FinetuningResults: Codable, Equatable {
  package let task: String
  package let head: HeadStyle
  /// The arithmetic of the fine-tuning's matrix products.
  package let arithmetic: Arithmetic
  /// One for each split and metric: the first split's in the order of the task's metrics, and so
  /// on.
  package let measures: [Measure]
  /// One for each seed, or for each fold of a cross-validation.
  package let seeds: [SeedResult]
  /// The scores of each class: those of the best seed, or of all folds together.
  package let classes: [ClassScores]

  package init(
    task: String, head: HeadStyle, arithmetic: Arithmetic = .float32, measures: [Measure],
    seeds: [SeedResult]
  ) {
    (self.task, self.head, self.arithmetic) = (task, head, arithmetic)
    (self.measures, self.seeds) = (measures, seeds)
    classes = Self.isCrossValidation(seeds) ? Self.pooled(seeds) : Self.best(seeds)?.classes ?? []
  }

  private static func isCrossValidation(_ seeds: [SeedResult]) -> Bool {
    seeds.contains { $0.fold != nil }
  }

  /// Whether `seeds` are the folds of a cross-validation.
  package var isCrossValidation: Bool { Self.isCrossValidation(seeds) }

  /// The class scores of all held-out parts together; empty where there are no classes.
  ///
  /// The held-out part is the first split of each fold. Labelled test data are left out, because
  /// every fold scores the same ones.
  private static func pooled(_ folds: [SeedResult]) -> [ClassScores] {
    let parts = folds.compactMap { $0.classes?.first }
    guard var sum = parts.first else { return [] }
    for part in parts.dropFirst() { sum.add(part) }
    return [sum]
  }

  /// A metric of a split of the data.
  package struct Measure: Codable, Hashable {
    package let split: String
    package let metric: Metric

    package init(split: String, metric: Metric) { (self.split, self.metric) = (split, metric) }

    /// The measure's name in logs: `dev_accuracy`.
    package var name: String { MetricName.score(metric.rawValue, of: split) }
  }

  /// The result of one seed or fold: its best evaluation.
  package struct SeedResult: Codable, Equatable {
    package let seed: UInt64
    /// The number of the fold, from 1; nil without cross-validation.
    package let fold: Int?
    /// The number of the best evaluation, from 1.
    package let epoch: Int
    /// The number of steps before the best evaluation.
    package let step: Int
    /// One value for each measure; nil for NaN.
    package let values: [Double?]
    /// The scores of each class for every split that has classes; nil in older files.
    package let classes: [ClassScores]?

    package init(
      seed: UInt64, fold: Int? = nil, epoch: Int, step: Int, values: [Double?],
      classes: [ClassScores] = []
    ) {
      (self.seed, self.fold, self.epoch, self.step) = (seed, fold, epoch, step)
      (self.values, self.classes) = (values, classes.isEmpty ? nil : classes)
    }

    /// The name of its folder in the output folder.
    package var folder: String { FinetuningResults.folder(seed: seed, fold: fold) }

    /// The value of the first measure, which selects the best evaluation and the best seed.
    fileprivate var selectionValue: Double? { values.first.flatMap(\.self) }
    /// Whether the first measure is NaN.
    package var isUndefined: Bool { selectionValue == nil }

    /// Whether the first measure is better than another evaluation's.
    ///
    /// Any number is better than NaN. Of equal numbers the earlier evaluation stays the best; of
    /// evaluations with NaN the later one is better, because it has trained longer.
    package func isBetter(than other: Self) -> Bool {
      guard let selectionValue else { return other.isUndefined && epoch > other.epoch }
      return other.selectionValue.map { selectionValue > $0 } ?? true
    }
  }

  /// The name of the `SeedResult` file in the folder of its seed or fold, written at its end.
  package static let seedFile = "result.json"

  /// The name of the folder of a seed, or of a fold, in the output folder.
  package static func folder(seed: UInt64, fold: Int?) -> String {
    fold.map { "fold-\($0)" } ?? "seed-\(seed)"
  }

  /// The seed or fold with the best first measure, the first of equal ones; nil if there is none.
  package var best: SeedResult? { Self.best(seeds) }

  private static func best(_ seeds: [SeedResult]) -> SeedResult? {
    guard var best = seeds.first else { return nil }
    for next in seeds.dropFirst() {
      let (value, other) = (next.selectionValue ?? -.infinity, best.selectionValue ?? -.infinity)
      if value > other { best = next }
    }
    return best
  }

  /// The values of the measure with this index for all seeds; fractions in percent.
  private func values(_ index: Int) -> [Double] {
    seeds.map { ($0.values[index] ?? .nan) * measures[index].metric.displayScale }
  }

  /// Statistics over all seeds of the measure with this index; fractions in percent.
  ///
  /// The standard deviation is the one of a sample (divided by n - 1), and 0 for one seed. One NaN
  /// makes median and mean NaN.
  package func statistics(_ index: Int) -> (
    values: [Double], median: Double, mean: Double, standardDeviation: Double
  ) {
    let values = values(index)
    return (values, values.median, values.mean, values.sampleStandardDeviation)
  }
}

extension FinetuningResults {
  private enum CodingKeys: String, CodingKey {
    case task, head, arithmetic, measures, seeds, classes
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      task: try values.decode(String.self, forKey: .task),
      head: try values.decode(HeadStyle.self, forKey: .head),
      arithmetic: try values.decode(Arithmetic.self, forKey: .arithmetic),
      measures: try values.decode([Measure].self, forKey: .measures),
      seeds: try values.decode([SeedResult].self, forKey: .seeds))
    guard seeds.allSatisfy({ $0.values.count == measures.count }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .seeds, in: values,
        debugDescription: "a seed does not have one value for each measure")
    }
  }
}

extension Metric {
  /// The factor of values in tables: 100 for fractions, which are shown in percent.
  fileprivate var displayScale: Double { self == .bestNullThreshold ? 1 : 100 }
}
