import Foundation

/// A progress line on standard error: redrawn in place on a terminal, else a new line every 10 s.
package struct ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let start = Date()
  private var lastShown: Date?

  package init() {}

  /// Seconds since the progress line was created.
  package var seconds: Double { Date().timeIntervalSince(start) }

  /// Shows `text` for the seconds so far, if the last update is long enough ago.
  package mutating func update(_ text: (_ seconds: Double) -> String) {
    let now = Date()
    let interval = isTerminal ? 0.2 : 10
    guard now.timeIntervalSince(lastShown ?? (isTerminal ? .distantPast : start)) >= interval
    else { return }
    lastShown = now
    write((isTerminal ? "\r\u{1B}[K" : "") + text(seconds) + (isTerminal ? "" : "\n"))
  }

  /// Shows `text` in place of the progress line and ends the line.
  package func finish(_ text: String) {
    write((isTerminal ? "\r\u{1B}[K" : "") + text + "\n")
  }

  /// Writes `text` and ignores failures: progress output never ends a command.
  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
