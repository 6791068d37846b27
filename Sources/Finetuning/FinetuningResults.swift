import Foundation
import Layers
import Tensors

/// What a fine-tuning has come to: `results.json`.
package struct FinetuningResults: Codable, Equatable {
  package let task: String
  package let head: HeadStyle
  /// In the order of the task's metrics, those of the first split first.
  package let measures: [Measure]
  package let seeds: [SeedResult]

  package init(task: String, head: HeadStyle, measures: [Measure], seeds: [SeedResult]) {
    (self.task, self.head, self.measures, self.seeds) = (task, head, measures, seeds)
  }

  /// A metric of a split of the data.
  package struct Measure: Codable, Hashable {
    package let split: String
    package let metric: Metric

    package init(split: String, metric: Metric) { (self.split, self.metric) = (split, metric) }

    /// The measure's name in logs: `dev_accuracy`.
    package var name: String { MetricName.score(metric.rawValue, of: split) }
  }

  /// What one seed has come to.
  package struct SeedResult: Codable, Equatable {
    package let seed: UInt64
    /// The evaluation that was best, counted from 1, and the step that it came after.
    package let epoch: Int
    package let step: Int
    /// One for each measure; nil where it is not a number.
    package let values: [Double?]

    package init(seed: UInt64, epoch: Int, step: Int, values: [Double?]) {
      (self.seed, self.epoch, self.step, self.values) = (seed, epoch, step, values)
    }

    /// The first measure, which chooses the best.
    private var choice: Double? { values.first.flatMap(\.self) }
    /// Whether the measure that chooses the best is not a number.
    package var isUndefined: Bool { choice == nil }

    /// By the first measure. Any number is better than none; of evaluations without a number the last
    /// counts, which has learnt most.
    package func isBetter(than other: Self) -> Bool {
      guard let choice else { return other.choice == nil && epoch > other.epoch }
      return other.choice.map { choice > $0 } ?? true
    }
  }

  /// The file of a `SeedResult` in its seed's folder, there once the seed is done.
  package static let seedFile = "result.json"

  /// A seed's folder within that of the fine-tuning.
  package static func folder(ofSeed seed: UInt64) -> String { "seed-\(seed)" }

  /// The seed that is best by the first measure, of equals the first.
  package var bestSeed: UInt64 {
    seeds.max { a, b in
      let (x, y) = (a.values.first.flatMap(\.self), b.values.first.flatMap(\.self))
      return (x ?? -.infinity) < (y ?? -.infinity) || (x == y && a.seed > b.seed)
    }?.seed ?? 0
  }

  /// The values of a measure over all seeds, as percentages where they are fractions.
  private func values(_ place: Int) -> [Double] {
    seeds.map { ($0.values[place] ?? .nan) * measures[place].metric.displayScale }
  }

  /// What a measure has come to over all seeds, in percent where values are fractions.
  package func statistics(_ place: Int) -> (
    values: [Double], median: Double, mean: Double, deviation: Double
  ) {
    let values = values(place)
    return (values, values.median, values.mean, values.sampleStandardDeviation)
  }

  /// A line for each measure: median, mean and standard deviation over seeds, then each seed's value.
  package var table: String {
    var lines = ["\("measure".padded(32))  median    mean      sd  by seed"]
    for (place, measure) in measures.enumerated() {
      let (values, median, mean, deviation) = statistics(place)
      // A threshold is used, and has other digits that count.
      let digits = measure.metric == .bestNullThreshold ? 4 : 2
      let numbers = [median, mean, deviation].map { String(format: "%8.*f", digits, $0) }
      let each = values.map { String(format: "%.*f", digits, $0) }
      let metric = measure.metric.rawValue.replacingOccurrences(of: "_", with: " ")
      let name = "\(measure.split) \(metric)"
      lines.append(name.padded(32) + numbers.joined() + "  " + each.joined(separator: " "))
    }
    return lines.joined(separator: "\n")
  }

  /// For a machine: the measures' statistics beside the seeds.
  package func summary() -> some Encodable {
    Summary(
      task: task, head: head, bestSeed: bestSeed, seeds: seeds,
      measures: measures.indices.map { place in
        let values = seeds.map { $0.values[place] ?? .nan }
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        return Summary.Statistics(
          split: measures[place].split, metric: measures[place].metric,
          median: finite(values.median), mean: finite(values.mean),
          deviation: finite(values.sampleStandardDeviation), values: values.map(finite))
      })
  }

  private struct Summary: Encodable {
    let task: String
    let head: HeadStyle
    let bestSeed: UInt64
    let seeds: [SeedResult]
    let measures: [Statistics]

    struct Statistics: Encodable {
      let split: String
      let metric: Metric
      let median: Double?
      let mean: Double?
      let deviation: Double?
      let values: [Double?]

      enum CodingKeys: String, CodingKey {
        case split, metric, median, mean, values
        case deviation = "standard_deviation"
      }
    }

    enum CodingKeys: String, CodingKey {
      case task, head, seeds, measures
      case bestSeed = "best_seed"
    }
  }
}

extension FinetuningResults {
  private enum CodingKeys: String, CodingKey { case task, head, measures, seeds }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      task: try values.decode(String.self, forKey: .task),
      head: try values.decode(HeadStyle.self, forKey: .head),
      measures: try values.decode([Measure].self, forKey: .measures),
      seeds: try values.decode([SeedResult].self, forKey: .seeds))
    guard seeds.allSatisfy({ $0.values.count == measures.count }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .seeds, in: values, debugDescription: "a seed has not a value for each measure")
    }
  }
}

extension Metric {
  /// What tables multiply it by: fractions are shown in percent.
  fileprivate var displayScale: Double { self == .bestNullThreshold ? 1 : 100 }
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    padding(toLength: max(width, count), withPad: " ", startingAt: 0)
  }
}
