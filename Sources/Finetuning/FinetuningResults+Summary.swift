import Tensors

extension FinetuningResults {
  /// The results with statistics over seeds, to be written as JSON; fractions stay fractions.
  package func summary() -> some Encodable {
    Summary(
      task: task, head: head, arithmetic: arithmetic,
      bestSeed: isCrossValidation ? nil : best?.seed ?? 0, bestFold: best?.fold, seeds: seeds,
      classes: classes,
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
    let bestSeed: UInt64?
    let bestFold: Int?
    let seeds: [SeedResult]
    let classes: [ClassScores]
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
      case task, head, arithmetic, seeds, classes, measures
      case bestSeed = "best_seed"
      case bestFold = "best_fold"
    }
  }
}
