import Foundation

/// One axis of a chart: its scale, its ticks and their labels.
package struct ChartAxis {
  /// The mapping of values to positions on the axis.
  package enum Scale {
    /// Equal differences have equal lengths.
    case linear(ClosedRange<Double>)
    /// Equal ratios have equal lengths; both bounds are above zero.
    case logarithmic(ClosedRange<Double>)
  }

  let scale: Scale
  /// The name of the quantity, drawn at the end of a horizontal axis.
  let name: String
  package let ticks: [Double]
  /// The label of a tick.
  package let label: (Double) -> String

  package init(
    _ scale: Scale, name: String = "", ticks: [Double], label: @escaping (Double) -> String
  ) {
    (self.scale, self.name, self.ticks, self.label) = (scale, name, ticks, label)
  }

  /// The desired number of intervals between ticks; rounding can add one.
  private static let intervals = 4

  /// An axis that contains `values`, with ticks at round numbers.
  ///
  /// No values give the range 0 to 1. A logarithmic axis needs values above zero and is linear
  /// otherwise.
  package init(
    holding values: [Double], isLogarithmic: Bool = false, name: String = "",
    label: @escaping (Double) -> String
  ) {
    // Beyond these bounds differences and ratios of values would overflow.
    let bounded = values.map { min(max($0, -1e300), 1e300) }
    let (low, high) = (bounded.min() ?? 0, bounded.max() ?? 1)
    if isLogarithmic, low > 1e-300 {
      // A single value still needs room on both sides.
      let range = high > low * 1.01 ? low...high : low / 2...low * 2
      self.init(.logarithmic(range), name: name, ticks: Self.ratioTicks(range), label: label)
      return
    }
    let step = Self.roundStep(max(high - low, max(abs(high), 1e-9) * 0.02) / Double(Self.intervals))
    self.init(from: low, to: high, step: step, name: name, label: label)
  }

  /// A linear axis from the multiple of `step` at or below `low` to the one at or above `high`.
  package init(
    from low: Double, to high: Double, step: Double, name: String = "",
    label: @escaping (Double) -> String
  ) {
    let first = Int((low / step + 1e-6).rounded(.down))
    let last = max(Int((high / step - 1e-6).rounded(.up)), first + 1)
    let ticks = (first...last).map { Double($0) * step }
    self.init(.linear(ticks[0]...ticks[ticks.count - 1]), name: name, ticks: ticks, label: label)
  }

  /// The position of a value: 0 at the lower bound and 1 at the upper; values outside are clamped.
  package func position(_ value: Double) -> Double {
    let position =
      switch scale {
      case .linear(let range):
        (value - range.lowerBound) / (range.upperBound - range.lowerBound)
      case .logarithmic(let range):
        log(max(value, 1e-300) / range.lowerBound) / log(range.upperBound / range.lowerBound)
      }
    return min(1, max(0, position))
  }

  /// An upper bound of the width of the longest tick label, in pixels.
  ///
  /// A digit of a wide sans-serif font (DejaVu, Verdana) takes 0.64 of the font size. Labels have
  /// few wider characters, and narrow points and spaces beside them.
  package func labelWidth(fontSize: Double) -> Double {
    0.64 * fontSize * Double(ticks.map { label($0).count }.max() ?? 0)
  }

  /// Whether a value lies between the bounds, which are included.
  package func holds(_ value: Double) -> Bool {
    switch scale {
    case .linear(let range), .logarithmic(let range): range.contains(value)
    }
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
  package static func roundStep(_ step: Double) -> Double {
    let power = pow(10, floor(log10(max(step, 1e-12))))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= step * 0.999 } ?? step
  }

  /// Powers of ten inside the range.
  ///
  /// A short range has 2 and 5 times these, too; a long range has only every second or third.
  private static func ratioTicks(_ range: ClosedRange<Double>) -> [Double] {
    let decades = Int(floor(log10(range.lowerBound)))...Int(ceil(log10(range.upperBound)))
    func inside(_ factors: [Double], every: Int = 1) -> [Double] {
      decades.filter { $0 % every == 0 }.flatMap { power in
        factors.map { $0 * pow(10, Double(power)) }
      }
      .filter { range.lowerBound * 0.999 <= $0 && $0 <= range.upperBound * 1.001 }
    }
    let choices = [
      inside([1, 2, 5]), inside([1, 3]), inside([1]), inside([1], every: 2), inside([1], every: 3),
    ]
    return choices.first { $0.count <= intervals + 1 } ?? []
  }
}
