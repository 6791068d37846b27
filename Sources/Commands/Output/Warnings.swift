import Corpus
import Foundation
import Platform
import Synchronization

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

/// How many lines of text were passed over, counted by many threads.
final class SkippedLines: Sendable {
  private let lines = Mutex(0)

  var count: Int { lines.withLock { $0 } }

  func add(_ count: Int) { lines.withLock { $0 += count } }
}
