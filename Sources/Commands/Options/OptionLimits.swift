import ArgumentParser

// Limits of options that several verbs have. They lie far above what anyone needs, and low enough that
// nothing that is computed of them overflows.

/// Checks options that count something; nil stands for one that was not given.
///
/// - Throws: a sentence with the option and its limits.
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
