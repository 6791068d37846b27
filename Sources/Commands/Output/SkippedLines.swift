import Synchronization

/// How many lines of text were passed over, counted by many threads.
final class SkippedLines: Sendable {
  private let lines = Mutex(0)

  var count: Int { lines.withLock { $0 } }

  func add(_ count: Int) { lines.withLock { $0 += count } }
}
