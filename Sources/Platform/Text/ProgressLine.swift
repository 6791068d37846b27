import Foundation

/// A progress line on standard error: redrawn in place on a terminal, else a new line every 10 s.
package struct ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let start = now()
  /// The seconds of the last update; nil before the first.
  private var lastShown: Double?

  package init() {}

  /// Seconds since the progress line was created.
  package var seconds: Double { now() - start }

  /// Shows `text` for the seconds so far, if the last update is long enough ago.
  package mutating func update(_ text: (_ seconds: Double) -> String) {
    let seconds = seconds
    let last = lastShown ?? (isTerminal ? -Double.infinity : 0)
    guard seconds - last >= (isTerminal ? 0.2 : 10) else { return }
    lastShown = seconds
    show(text(seconds), endsLine: !isTerminal)
  }

  /// Shows `text` in place of the progress line and ends the line.
  package func finish(_ text: String) { show(text, endsLine: true) }

  private func show(_ text: String, endsLine: Bool) {
    standardError((isTerminal ? "\r\u{1B}[K" : "") + text + (endsLine ? "\n" : ""))
  }
}
