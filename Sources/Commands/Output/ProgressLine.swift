import Foundation
import Platform

/// A line about the progress of long work on standard error: rewritten in place on a terminal, a new
/// one every ten seconds elsewhere.
struct ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let start = Date()
  private var lastShown: Date?

  /// Seconds since the work began.
  var seconds: Double { Date().timeIntervalSince(start) }

  /// Shows what `text` says of the work after so many seconds, if it is time to.
  mutating func update(_ text: (_ seconds: Double) -> String) {
    let now = Date()
    let interval = isTerminal ? 0.2 : 10
    guard now.timeIntervalSince(lastShown ?? (isTerminal ? .distantPast : start)) >= interval
    else { return }
    lastShown = now
    write((isTerminal ? "\r\u{1B}[K" : "") + text(seconds) + (isTerminal ? "" : "\n"))
  }

  /// Shows `text` as the last word.
  func finish(_ text: String) {
    write((isTerminal ? "\r\u{1B}[K" : "") + text + "\n")
  }

  /// A failure to show progress ends nothing.
  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
