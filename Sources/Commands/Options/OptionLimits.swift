import ArgumentParser

/// Checks the range of options that are counts; nil is an option that was not given.
///
/// The limits are far above any use, and low enough that no computation with them overflows. Throws
/// a `ValidationError` with the option and its limits.
func expectCounts(_ counts: KeyValuePairs<String, Int?>) throws {
  for (name, value) in counts {
    let most =
      switch name {
      case "--threads": 1024
      case "--ranks": 1 << 16
      default: 1_000_000_000
      }
    if let value, !(1...most ~= value) {
      throw ValidationError("\(name) must be between 1 and \(most), not \(value)")
    }
  }
}

/// Checks the range of options that are times, of which infinity is allowed.
///
/// Throws a `ValidationError` with the option; comparisons with NaN would switch it off.
func expectTimes(_ times: KeyValuePairs<String, Double>) throws {
  for (name, value) in times where !(value >= 0) {
    throw ValidationError("\(name) must be at least 0, not \(value)")
  }
}
