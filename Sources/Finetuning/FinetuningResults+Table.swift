import Foundation
import Platform

extension FinetuningResults {
  /// A text table with a line for each measure: median, mean and standard deviation over seeds or
  /// folds, then the value of each.
  package var table: String {
    let parts = isCrossValidation ? "fold" : "seed"
    var lines = ["\("measure".leftAligned(32))  median    mean      sd  by \(parts)"]
    for (index, measure) in measures.enumerated() {
      let (values, median, mean, standardDeviation) = statistics(index)
      // A threshold is passed to other programs and needs more digits than a percentage.
      let digits = measure.metric == .bestNullThreshold ? 4 : 2
      let numbers = [median, mean, standardDeviation].map { String(format: "%8.*f", digits, $0) }
      let each = values.map { String(format: "%.*f", digits, $0) }
      let metric = measure.metric.rawValue.replacingOccurrences(of: "_", with: " ")
      let name = "\(measure.split) \(metric)"
      lines.append(name.leftAligned(32) + numbers.joined() + "  " + each.joined(separator: " "))
    }
    return lines.joined(separator: "\n")
  }

  /// A sentence for each measure with its mean and standard deviation over the folds.
  package var foldLines: [String] {
    measures.indices.map { index in
      let (values, _, mean, standardDeviation) = statistics(index)
      return String(
        format: "%@: mean %.2f, standard deviation %.2f over %d folds", measures[index].name, mean,
        standardDeviation, values.count)
    }
  }
}
