import Corpus
import Foundation

/// Writes to standard error as it is.
/// A failure to do so ends nothing.
func standardError(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}

/// Writes a sentence about what is amiss and ends nothing.
func warn(_ sentence: String) { standardError("electra: \(sentence)\n") }

extension TextReader {
  /// Says on standard error what was remarkable about the files.
  func reportRemarks() {
    warnings.sentences.forEach(warn)
    if skippedFiles > 0 { warn("passed over \(skippedFiles) files without text") }
  }
}

/// A share of unknown words or tokens that is worth a warning: above one in a hundred.
struct UnknownShare: CustomStringConvertible {
  let description: String

  init?(_ unknown: Int, of all: Int) {
    guard unknown * 100 > all else { return nil }
    description = String(format: "%.1f %%", 100 * Double(unknown) / Double(all))
  }
}

extension Int {
  /// With thousands apart: 12,345.
  var grouped: String {
    var digits = String(magnitude)
    var parts: [String] = []
    while digits.count > 3 {
      parts.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (self < 0 ? "-" : "") + ([digits] + parts).joined(separator: ",")
  }
}

extension Encodable {
  /// As one line of JSON, keys sorted.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
