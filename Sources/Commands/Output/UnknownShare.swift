import Foundation

/// The share of unknown words or tokens as text; nil up to 1 %, which deserves no warning.
func unknownShare(_ unknown: Int, of all: Int) -> String? {
  unknown * 100 > all ? String(format: "%.1f %%", 100 * Double(unknown) / Double(all)) : nil
}
