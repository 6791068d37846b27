import Electra
import Foundation
import Layers
import Tensors

/// The results of fine-tuning with one or more seeds: the content of `results.json`.
package struct FinetuningResults: Codable, Equatable {
  package let task: String
  package let head: HeadStyle
  /// The arithmetic of the fine-tuning's matrix products.
  package let arithmetic: Arithmetic
  /// One for each split and metric: the first split's in the order of the task's metrics, and so
  /// on.
  package let measures: [Measure]
  package let seeds: [SeedResult]

  package init(
    task: String, head: HeadStyle, arithmetic: Arithmetic = .float32, measures: [Measure],
    seeds: [SeedResult]
  ) {
    (self.task, self.head, self.arithmetic) = (task, head, arithmetic)
    (self.measures, self.seeds) = (measures, seeds)
  }

  /// A metric of a split of the data.
  package struct Measure: Codable, Hashable {
    package let split: String
    package let metric: Metric

    package init(split: String, metric: Metric) { (self.split, self.metric) = (split, metric) }

    /// The measure's name in logs: `dev_accuracy`.
    package var name: String { MetricName.score(metric.rawValue, of: split) }
  }

  /// The result of one seed: its best evaluation.
  package struct SeedResult: Codable, Equatable {
    package let seed: UInt64
    /// The number of the best evaluation, from 1.
    package let epoch: Int
    /// The number of steps before the best evaluation.
    package let step: Int
    /// One value for each measure; nil for NaN.
    package let values: [Double?]

    package init(seed: UInt64, epoch: Int, step: Int, values: [Double?]) {
      (self.seed, self.epoch, self.step, self.values) = (seed, epoch, step, values)
    }

    /// The value of the first measure, which selects the best evaluation and the best seed.
    private var selectionValue: Double? { values.first.flatMap(\.self) }
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

  /// The name of the `SeedResult` file in the seed's folder; it is written when the seed has
  /// finished.
  package static let seedFile = "result.json"

  /// The name of a seed's folder in the output folder.
  package static func folder(ofSeed seed: UInt64) -> String { "seed-\(seed)" }

  /// The seed with the best first measure; of equal seeds the first, and 0 if there is none.
  package var bestSeed: UInt64 {
    seeds.max { a, b in
      let (x, y) = (a.values.first.flatMap(\.self), b.values.first.flatMap(\.self))
      return (x ?? -.infinity) < (y ?? -.infinity) || (x == y && a.seed > b.seed)
    }?.seed ?? 0
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

  /// A text table with a line for each measure: median, mean and standard deviation over seeds,
  /// then the value of each seed.
  package var table: String {
    var lines = ["\("measure".padded(32))  median    mean      sd  by seed"]
    for (index, measure) in measures.enumerated() {
      let (values, median, mean, standardDeviation) = statistics(index)
      // A threshold is passed to other programs and needs more digits than a percentage.
      let digits = measure.metric == .bestNullThreshold ? 4 : 2
      let numbers = [median, mean, standardDeviation].map { String(format: "%8.*f", digits, $0) }
      let each = values.map { String(format: "%.*f", digits, $0) }
      let metric = measure.metric.rawValue.replacingOccurrences(of: "_", with: " ")
      let name = "\(measure.split) \(metric)"
      lines.append(name.padded(32) + numbers.joined() + "  " + each.joined(separator: " "))
    }
    return lines.joined(separator: "\n")
  }

  /// The results with statistics over seeds, to be written as JSON; fractions stay fractions.
  package func summary() -> some Encodable {
    Summary(
      task: task, head: head, arithmetic: arithmetic, bestSeed: bestSeed, seeds: seeds,
      measures: measures.indices.map { index in
        let values = seeds.map { $0.values[index] ?? .nan }
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        return Summary.Statistics(
          split: measures[index].split, metric: measures[index].metric,
          median: finite(values.median), mean: finite(values.mean),
          standardDeviation: finite(values.sampleStandardDeviation), values: values.map(finite))
      })
  }

  private struct Summary: Encodable {
    let task: String
    let head: HeadStyle
    let arithmetic: Arithmetic
    let bestSeed: UInt64
    let seeds: [SeedResult]
    let measures: [Statistics]

    struct Statistics: Encodable {
      let split: String
      let metric: Metric
      let median: Double?
      let mean: Double?
      let standardDeviation: Double?
      let values: [Double?]

      enum CodingKeys: String, CodingKey {
        case split, metric, median, mean, values
        case standardDeviation = "standard_deviation"
      }
    }

    enum CodingKeys: String, CodingKey {
      case task, head, arithmetic, seeds, measures
      case bestSeed = "best_seed"
    }
  }
}

extension FinetuningResults {
  private enum CodingKeys: String, CodingKey { case task, head, arithmetic, measures, seeds }

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

extension String {
  fileprivate func padded(_ width: Int) -> String {
    padding(toLength: max(width, count), withPad: " ", startingAt: 0)
  }
}
