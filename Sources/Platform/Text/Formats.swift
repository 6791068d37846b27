import Foundation

// Numbers and lists as people read them, for logs, reports and errors.

extension Int {
  /// With thousands apart: 12,345.
  package var grouped: String {
    var digits = String(magnitude)
    var parts: [String] = []
    while digits.count > 3 {
      parts.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + ([digits] + parts).joined(separator: ",")
  }

  /// A number of bytes in words.
  package var bytes: String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(self), 0)
    while value >= 999.5 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return String(format: value < 9.95 && unit > 0 ? "%.1f %@" : "%.0f %@", value, units[unit])
  }

  /// With zeros in front up to `width` digits; longer numbers stay as they are.
  package func zeroPadded(_ width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }

  /// So many of a thing: "1 core", "2 cores".
  package func of(_ thing: String) -> String { "\(self) \(thing)\(self == 1 ? "" : "s")" }
}

/// The first few of `names`, and how many more there are.
package func shortList(_ names: [String]) -> String {
  let shown = names.prefix(5).joined(separator: ", ")
  return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
}
