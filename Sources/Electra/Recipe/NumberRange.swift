/// A range of the numbers that options set, with its name in messages.
///
///     NumberRange.positive.problem("--temperature", 0.0)
///     // "--temperature 0.0 is not a finite number above 0"
///
/// No range contains NaN.
enum NumberRange: String {
  case notNegative = "a finite number of at least 0"
  case positive = "a finite number above 0"
  case belowHalf = "between 0 and 0.5"
  case belowOne = "at least 0 and below 1"

  /// The sentence about a value of `option` outside the range; nil for a value inside.
  func problem<Number: BinaryFloatingPoint>(_ option: String, _ value: Number) -> String? {
    contains(value) ? nil : "\(option) \(value) is not \(rawValue)"
  }

  private func contains<Number: BinaryFloatingPoint>(_ value: Number) -> Bool {
    switch self {
    case .notNegative: value >= 0 && value.isFinite
    case .positive: value > 0 && value.isFinite
    case .belowHalf: value > 0 && value < 0.5
    case .belowOne: value >= 0 && value < 1
    }
  }
}
