import Foundation
import Layers
import Platform

/// Writes the metrics of a run: `metrics.jsonl`, one JSON object per line, and TensorBoard event
/// files.
///
/// Lines are in the order of the steps. The event file of the split `held_out` is in a folder of
/// that name, so that TensorBoard draws its curves in the same charts as those of training.
///
/// Event files can always be rebuilt from the lines. Each start writes a new event file from the
/// lines that it keeps, and empties the older files without removing them: a running TensorBoard
/// reads the files of a folder in order and would lose its position.
///
/// A failed write never ends a run. The first one is reported.
package final class MetricsLog {
  private let folder: String
  private let warn: (String) -> Void
  private var hasWarned = false
  /// The name of the event files that this start writes.
  private lazy var eventName = EventFile.name(
    after: Self.curves.flatMap { EventFile.names(in: eventFolder($0)) })

  /// The splits with event files.
  private static let curves = [MetricsLine.Split.training, .heldOut]

  /// Opens the metrics of the run in `folder`; `warn` is called after the first failed write.
  package init(folder: String, warn: @escaping (String) -> Void) {
    self.folder = folder
    self.warn = warn
  }

  /// Appends a line with the current time.
  package func append(_ line: MetricsLine) {
    var line = line
    line.time = Date().timeIntervalSince1970
    warning {
      try AppendingFile.append(
        Array("\(line.json)\n".utf8), to: RunMetrics.path(runFolder: folder))
      if let record = EventFile.record(of: line) { try add(record, toEventsOf: line.split) }
    }
  }

  /// Removes lines of steps after `step`, and incomplete lines; a resumed run writes them again.
  ///
  /// The points of the remaining lines move to a new event file, which is written even if there are
  /// none: it makes a running TensorBoard drop the old points.
  package func cut(afterStep step: Int) {
    let metrics = RunMetrics(runFolder: folder)
    guard !metrics.contents.isEmpty else { return }
    var events: [MetricsLine.Split: Data] = [:]
    for line in metrics.lines where line.step <= step {
      if let record = EventFile.record(of: line) { events[line.split, default: Data()] += record }
    }
    warning {
      let kept = metrics.contents(upToStep: step)
      if kept != metrics.contents {
        try AtomicFile.write(kept, to: RunMetrics.path(runFolder: folder), replacing: true)
      }
      for split in Self.curves { try renewEvents(of: split, events[split] ?? Data()) }
    }
  }

  /// Whether the file has a line of a split at `step`.
  package func holds(_ split: MetricsLine.Split, step: Int) -> Bool {
    RunMetrics(runFolder: folder).lines.contains { $0.step == step && $0.split == split }
  }

  /// Writes `records` to this start's event file of a split, and empties the older files.
  private func renewEvents(of split: MetricsLine.Split, _ records: Data) throws {
    let old = EventFile.names(in: eventFolder(split)).filter { $0 != eventName }
    if !(old.isEmpty && records.isEmpty) { try add(records, toEventsOf: split) }
    for name in old { try DurableFile.write([], to: "\(eventFolder(split))/\(name)") }
  }

  private func add(_ records: Data, toEventsOf split: MetricsLine.Split) throws {
    let folder = eventFolder(split)
    let path = "\(folder)/\(eventName)"
    let isNew = !FileManager.default.fileExists(atPath: path)
    if isNew { try Folder.make(folder) }
    try AppendingFile.append(Array(isNew ? EventFile.header + records : records), to: path)
  }

  private func eventFolder(_ split: MetricsLine.Split) -> String {
    split == .training ? folder : "\(folder)/\(split.rawValue)"
  }

  /// Runs `body`, and reports its error if it is the first.
  private func warning(_ body: () throws -> Void) {
    do { try body() } catch {
      if !hasWarned { warn("\(error)") }
      hasWarned = true
    }
  }
}
