import Foundation
import Tensors

/// The difference of the means of two systems, with an interval that contains the true difference
/// with a probability of 95 %.
///
/// The interval is that of Welch's t-test (1947), which does not assume equal variances.
package struct Difference {
  let name: String
  let against: String
  package let mean: Double
  /// Nil if a system has fewer than two seeds, or if all seeds of both systems are equal.
  package let interval: ClosedRange<Double>?
  /// The least difference that counts as a success; nil if none does.
  var margin: Double?
  /// Whether `name` is above the other system that a success needs; true if it needs none.
  var isAlsoAbove = true
  /// Whether a run of one of the two systems diverged.
  var diverged = false

  /// Nil if a system has no results.
  package init?(_ name: String, _ sample: Sample, against: String, _ other: Sample) {
    guard let first = sample.mean, let second = other.mean else { return nil }
    (self.name, self.against, mean) = (name, against, first - second)
    interval = Self.halfWidth(sample, other).map { [mean] in mean - $0...mean + $0 }
  }

  /// Half of the interval; the degrees of freedom are those of Welch and Satterthwaite.
  private static func halfWidth(_ first: Sample, _ second: Sample) -> Double? {
    let samples = [first, second]
    guard samples.allSatisfy({ $0.values.count > 1 }) else { return nil }
    let variances = samples.map {
      $0.standardDeviation * $0.standardDeviation / Double($0.values.count)
    }
    let sum = variances[0] + variances[1]
    guard sum > 0 else { return nil }
    let parts = zip(variances, samples).map { $0 * $0 / Double($1.values.count - 1) }
    return studentQuantile(degreesOfFreedom: sum * sum / (parts[0] + parts[1])) * sum.squareRoot()
  }

  /// Whether the interval is above 0.
  var isAbove: Bool { interval.map { $0.lowerBound > 0 } ?? false }

  /// The result in words.
  ///
  /// With a margin it is `success`, `not shown` or `below`: a success is at least the margin, has
  /// the interval above 0, and is above the other system that it needs. Without a margin it is
  /// `above`, `no difference shown` or `below`, by the interval. It is `-` without an interval, and
  /// `diverged` if a run did.
  package var result: String {
    if diverged { return "diverged" }
    guard let interval else { return "-" }
    if interval.upperBound < 0 { return "below" }
    guard let margin else { return isAbove ? "above" : "no difference shown" }
    return isAbove && isAlsoAbove && mean >= margin ? "success" : "not shown"
  }
}

/// The two-sided 95 % quantile of Student's t distribution, for any degrees of freedom above 0.
package func studentQuantile(degreesOfFreedom: Double) -> Double {
  var (low, high) = (0.0, 1.0)
  while tail(high, degreesOfFreedom) > 0.05, high < 1e12 { high *= 2 }
  for _ in 0..<80 {
    let middle = (low + high) / 2
    if tail(middle, degreesOfFreedom) > 0.05 { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The probability of an absolute value above `t`: the incomplete beta function of the degrees of
/// freedom n, I_x(n / 2, 1 / 2) at x = n / (n + t^2).
private func tail(_ t: Double, _ freedom: Double) -> Double {
  let (a, b, x) = (freedom / 2, 0.5, freedom / (freedom + t * t))
  let y = t * t / (freedom + t * t)
  guard x > 0, y > 0 else { return x > 0 ? 1 : 0 }
  let factor = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y))
  // The continued fraction converges fast on this side of the mean, and by symmetry on the other.
  if x < (a + 1) / (a + b + 2) { return factor * betaFraction(x, a, b) / a }
  return 1 - factor * betaFraction(y, b, a) / b
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), from
/// the inside out, with more terms than double precision needs.
private func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  var value = 1.0
  for term in (1...200).reversed() {
    let m = Double(term / 2)
    let coefficient =
      term % 2 == 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    value = 1 + coefficient / value
  }
  return 1 / value
}
