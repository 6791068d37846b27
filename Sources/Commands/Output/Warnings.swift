import Foundation
import Synchronization

/// A share of unknown words or tokens that deserves a warning: above 1 %.
struct UnknownShare: CustomStringConvertible {
  let description: String

  /// nil for a share of at most 1 %.
  init?(_ unknown: Int, of all: Int) {
    guard unknown * 100 > all else { return nil }
    description = String(format: "%.1f %%", 100 * Double(unknown) / Double(all))
  }
}

/// The number of skipped lines of text, counted by several threads.
final class SkippedLines: Sendable {
  private let lines = Mutex(0)

  var count: Int { lines.withLock { $0 } }

  func add(_ count: Int) { lines.withLock { $0 += count } }
}
