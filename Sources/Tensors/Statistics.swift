/// Statistics of samples, in double precision; sums run in the order of the values.
///
/// For an empty collection they are zero. Standard deviations of a population, ranks and least
/// squares are computed where they are used.
extension Collection<Double> {
  /// The arithmetic mean.
  package var mean: Double { reduce(0, +) / Double(Swift.max(1, count)) }

  /// The median; for an even count the mean of the two middle values, and NaN if any value is NaN.
  package var median: Double {
    if isEmpty { return 0 }
    if contains(where: \.isNaN) { return .nan }
    let sorted = sorted()
    let middle = count / 2
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median; for an even count the larger of the two middle values.
  ///
  /// It is always one of the values. No value may be NaN.
  package var upperMedian: Double { isEmpty ? 0 : sorted()[count / 2] }

  /// The sample standard deviation, with n - 1 in the denominator; zero for one value.
  package var sampleStandardDeviation: Double {
    guard count > 1 else { return 0 }
    let mean = mean
    let squares = reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(count - 1)).squareRoot()
  }
}
