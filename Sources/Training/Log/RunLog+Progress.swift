import Foundation

extension RunLog {
  /// Redraws the progress line of a terminal; does nothing where the screen is a file or a pipe.
  ///
  /// The cursor returns to the start of the line, so the next line of the log, or an error of
  /// another part of the program, is written over it.
  ///
  /// - Parameter text: the line, without a line end; empty to remove it.
  package func showProgress(_ text: String) {
    guard isTerminal else { return }
    let line = text.isEmpty ? "" : prefix + text + "\r"
    try? screen.write(contentsOf: Data((Self.lineStart + line).utf8))
  }

  /// Moves a terminal's cursor to the start of the line and clears the line.
  static let lineStart = "\r\u{1B}[K"
}
