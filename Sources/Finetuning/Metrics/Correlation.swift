import Tensors

/// Correlations of two lists of equal length, equal to scipy's.
///
/// NaN if a list is constant, has fewer than two numbers, or contains NaN; Pearson's also if it
/// contains an infinity.
package enum Correlation {
  /// Pearson's correlation, clipped to -1...1.
  package static func pearson(_ first: [Double], _ second: [Double]) -> Double {
    precondition(first.count == second.count, "a prediction for each example")
    guard first.count > 1, !isConstant(first), !isConstant(second) else { return .nan }
    // The clipping below would turn NaN into 1.
    guard (first + second).allSatisfy({ $0.isFinite }) else { return .nan }
    // Both are scaled to length 1 before they are multiplied, so that nothing overflows.
    let x = normalized(first)
    let y = normalized(second)
    let product = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    return max(-1, min(1, product))
  }

  /// Spearman's rank correlation; equal numbers have the mean of their ranks.
  package static func spearman(_ first: [Double], _ second: [Double]) -> Double {
    // The rank of NaN is a number.
    if (first + second).contains(where: { $0.isNaN }) { return .nan }
    return pearson(ranks(first), ranks(second))
  }

  private static func isConstant(_ values: [Double]) -> Bool {
    values.allSatisfy { $0 == values[0] }
  }

  /// The differences from the mean, scaled to length 1.
  private static func normalized(_ values: [Double]) -> [Double] {
    let mean = values.mean
    let differences = values.map { $0 - mean }
    let largest = differences.map(abs).max() ?? 0
    if largest == 0 { return differences }
    let scaled = differences.map { $0 / largest }
    let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return scaled.map { $0 / length }
  }

  /// Ranks from 1, where equal values have the mean of their ranks; no value may be NaN.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
      for index in order[start..<end] { ranks[index] = Double(start + 1 + end) / 2 }
      start = end
    }
    return ranks
  }
}
