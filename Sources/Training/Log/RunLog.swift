import Foundation
import Platform

/// `log.txt` of a run: what the run has to say, with the time; also on standard error.
///
/// A failure to write never ends a run; one of the file is told once on standard error, and one of
/// standard error (a closed pipe, a full disk behind it) leaves the file.
package final class RunLog {
  private let path: String?
  let screen: FileHandle
  /// Whether the screen is a terminal, which has a progress line.
  package let isTerminal: Bool
  private(set) var prefix = ""
  private var hasWarned = false

  /// - Parameters:
  ///   - path: nil to write to the screen only.
  ///   - screen: where lines go besides.
  package init(path: String?, screen: FileHandle = .standardError) {
    self.path = path
    self.screen = screen
    isTerminal = isatty(screen.fileDescriptor) != 0
  }

  /// The same log with `prefix` before each line.
  package func prefixed(_ prefix: String) -> RunLog {
    let log = RunLog(path: path, screen: screen)
    log.prefix = prefix
    return log
  }

  /// Says one line.
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

  /// `FileHandle.write(_:)` would end the program on an error; this does not.
  private func show(_ line: String) {
    try? screen.write(contentsOf: Data(((isTerminal ? Self.lineStart : "") + line + "\n").utf8))
  }
}
