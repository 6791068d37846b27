import Tensors

/// Correlations of two lists of numbers, as scipy gives them: NaN where one list is constant or shorter
/// than two.
package enum Correlation {
  /// Pearson's.
  package static func pearson(_ first: [Double], _ second: [Double]) -> Double {
    precondition(first.count == second.count, "an answer for each example")
    guard first.count > 1, !isConstant(first), !isConstant(second) else { return .nan }
    let x = centred(first)
    let y = centred(second)
    // Each is brought to length one before they are multiplied, so that nothing overflows.
    let product = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    return max(-1, min(1, product))
  }

  /// Spearman's: Pearson's of the ranks, equal numbers sharing the mean of theirs.
  package static func spearman(_ first: [Double], _ second: [Double]) -> Double {
    pearson(ranks(first), ranks(second))
  }

  private static func isConstant(_ values: [Double]) -> Bool {
    values.allSatisfy { $0 == values[0] }
  }

  private static func centred(_ values: [Double]) -> [Double] {
    let mean = values.mean
    let differences = values.map { $0 - mean }
    let largest = differences.map(abs).max() ?? 0
    if largest == 0 { return differences }
    let scaled = differences.map { $0 / largest }
    let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return scaled.map { $0 / length }
  }

  /// Ranks from 1.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
      for place in order[start..<max(end, start + 1)] {
        ranks[place] = Double(start + 1 + max(end, start + 1)) / 2
      }
      start = max(end, start + 1)
    }
    return ranks
  }
}
