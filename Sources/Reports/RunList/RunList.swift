import Foundation
import Layers
import Platform

/// The runs and fine-tunings of some folders, with their progress (`electra runs`).
package struct RunList {
  /// In the order of their paths.
  package let runs: [RunStatus]
  private let time: Double

  /// Reads the runs and fine-tunings at `paths` and up to two folders below each.
  ///
  /// `time` is the current time in seconds since 1970. Throws `FileError` for a missing folder,
  /// `UsageError` for a folder without runs and fine-tunings.
  package init(_ paths: [String], time: Double = Date().timeIntervalSince1970) throws {
    var runs: [RunStatus] = []
    try SubjectFolders.visit(paths) { path in
      guard let run = RunStatus(path, time: time) else { return false }
      runs.append(run)
      return true
    }
    (self.runs, self.time) = (runs, time)
  }

  /// The table for the screen, one line per run.
  package var lines: [String] {
    var table = TextTable([
      ("run", .left), ("state", .left), ("step", .right), ("loss", .right), ("tokens/s", .right),
      ("last seen", .right),
    ])
    for (run, name) in zip(runs, names) {
      let steps = run.steps.map { " of \($0.grouped)" } ?? ""
      table.append([
        name, run.state.rawValue, run.step.grouped + steps,
        run.loss.map { String(format: "%.4f", $0) } ?? "-",
        run.tokensPerSecond.map { Int(bounded: $0.rounded()).grouped } ?? "-",
        run.lastSeen.map { Self.ago(time - $0) } ?? "-",
      ])
    }
    return table.lines
  }

  /// The paths without the folder that all runs have in common.
  private var names: [String] {
    let parts = runs.map { $0.folder.split(separator: "/") }
    guard let first = parts.first else { return [] }
    let shared = first.indices.dropLast().first { index in
      parts.contains { index >= $0.count - 1 || $0[index] != first[index] }
    }
    return parts.map { $0.dropFirst(shared ?? first.count - 1).joined(separator: "/") }
  }

  /// A time that is `seconds` ago, in its largest unit: 5 s ago, 3 min ago.
  package static func ago(_ seconds: Double) -> String {
    let seconds = max(0, seconds)
    for (unit, length) in [("d", 86_400.0), ("h", 3600), ("min", 60)] where seconds >= length {
      return "\(Int(bounded: seconds / length)) \(unit) ago"
    }
    return "\(Int(seconds)) s ago"
  }
}
