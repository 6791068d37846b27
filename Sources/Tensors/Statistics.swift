/// Statistics of samples, in double precision and in the order of the values.
///
/// Of no values they are zero. Standard deviations of a whole population, ranks and least squares are
/// computed where they are used.
extension Collection<Double> {
  /// The arithmetic mean.
  package var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }

  /// The middle value, or the mean of the two in the middle; NaN where any value is.
  package var median: Double {
    if isEmpty { return 0 }
    if contains(where: \.isNaN) { return .nan }
    let sorted = sorted()
    let middle = count / 2
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The middle value, or the upper of the two in the middle: always one of the values, none of which
  /// may be NaN.
  package var upperMedian: Double { isEmpty ? 0 : sorted()[count / 2] }

  /// The standard deviation of a sample, with n - 1 in the denominator; zero for one value.
  package var sampleDeviation: Double {
    guard count > 1 else { return 0 }
    let mean = mean
    let squares = reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(count - 1)).squareRoot()
  }
}
