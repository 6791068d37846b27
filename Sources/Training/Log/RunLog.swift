import Foundation
import Platform

/// The log of a run: lines with the time in `log.txt`, and without it on standard error.
///
/// A failed write never ends a run. A failure of the file is reported once on standard error. After
/// a failure of standard error (a closed pipe, a full disk), lines still go to the file.
package final class RunLog {
  private let path: String?
  let screen: FileHandle
  /// Whether the screen is a terminal, which has a progress line.
  package let isTerminal: Bool
  private(set) var prefix = ""
  private var hasWarned = false

  /// - Parameters:
  ///   - path: the file, to which lines are appended; nil to write to `screen` only.
  ///   - screen: receives every line, too.
  package init(path: String?, screen: FileHandle = .standardError) {
    self.path = path
    self.screen = screen
    isTerminal = isatty(screen.fileDescriptor) != 0
  }

  /// Returns a log that writes to the same file and screen, with `prefix` before each line.
  package func prefixed(_ prefix: String) -> RunLog {
    let log = RunLog(path: path, screen: screen)
    log.prefix = prefix
    return log
  }

  /// Writes one line.
  package func write(_ line: String) {
    let line = prefix + line
    show(line)
    guard let path else { return }
    do {
      let time = ISO8601DateFormatter().string(from: Date())
      try AppendingFile.append(Array("\(time) \(line)\n".utf8), to: path)
    } catch {
      if !hasWarned { show("\(error)") }
      hasWarned = true
    }
  }

  /// Writes to the screen; unlike `FileHandle.write(_:)`, a failure does not end the program.
  private func show(_ line: String) {
    try? screen.write(contentsOf: Data(((isTerminal ? Self.lineStart : "") + line + "\n").utf8))
  }
}
