import Foundation

// Formats of numbers, lists and columns for logs, reports and errors.

extension Int {
  /// The number with thousands separators: 12,345.
  package var grouped: String {
    var digits = String(magnitude)
    var parts: [String] = []
    while digits.count > 3 {
      parts.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + ([digits] + parts).joined(separator: ",")
  }

  /// This number of bytes in decimal units: 512 B, 1.5 kB, 20 MB.
  package var bytes: String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(self), 0)
    while value >= 999.5 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return String(format: value < 9.95 && unit > 0 ? "%.1f %@" : "%.0f %@", value, units[unit])
  }

  /// Reads a number of bytes in decimal units: `500MB`, `2 GB`, `1.5kB` or `4096`.
  ///
  /// Nil for anything else, and unless the number is from 1 to 10^15.
  package init?(bytes text: String) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(number.count).trimmingCharacters(in: .whitespaces).lowercased()
    guard let exponent = ["", "kb", "mb", "gb", "tb"].firstIndex(of: unit),
      let value = Double(number)
    else { return nil }
    let bytes = value * pow(1000, Double(exponent))
    guard 1...1e15 ~= bytes else { return nil }
    self = Int(bytes)
  }

  /// A number from a file, without its fraction; at most 10^15 in magnitude, and 0 for NaN.
  package init(bounded number: Double) {
    self = number.isNaN ? 0 : Int(Swift.min(Swift.max(number, -1e15), 1e15))
  }

  /// The number with leading zeros up to `width` digits; it must not be negative.
  package func zeroPadded(_ width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }

  /// The number with a noun in the singular or plural: "1 core", "4,996 steps".
  package func of(_ thing: String) -> String { "\(grouped) \(thing)\(self == 1 ? "" : "s")" }
}

extension String {
  /// The text with spaces after it, up to `width` characters.
  package func leftAligned(_ width: Int) -> String { self + spaces(upTo: width) }

  /// The text with spaces before it, up to `width` characters.
  package func rightAligned(_ width: Int) -> String { spaces(upTo: width) + self }

  private func spaces(upTo width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - count))
  }
}

/// The first `most` of `names`, and how many more there are: "a, b, c, d, e and 2 more".
package func shortList(_ names: [String], most: Int = 5) -> String {
  let shown = names.prefix(most).joined(separator: ", ")
  return names.count > most ? "\(shown) and \(names.count - most) more" : shown
}
