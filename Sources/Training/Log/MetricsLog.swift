import Foundation
import Layers
import Platform

/// Writes the metrics of a run: `metrics.jsonl`, one JSON object a line, and TensorBoard event files.
///
/// Lines come in the order of the steps. A split of its own (`held_out`) has its event file in a folder
/// of that name, so that TensorBoard draws its curves over those of training. Event files follow from
/// the lines: each start writes a new one from the lines that are kept, and empties the old, without
/// removing them: a TensorBoard that is open goes from file to file. A failure to write never ends a
/// run; it is reported once.
package final class MetricsLog {
  private let folder: String
  private let warn: (String) -> Void
  private var hasWarned = false
  /// The name of this start's event files.
  private lazy var eventName = EventFile.name(
    after: Self.curves.flatMap { EventFile.names(in: eventFolder($0)) })

  /// The splits that have curves.
  private static let curves = [MetricsLine.Split.training, .heldOut]

  /// Opens the metrics of the run in `folder`; `warn` is called when a line cannot be written.
  package init(folder: String, warn: @escaping (String) -> Void) {
    self.folder = folder
    self.warn = warn
  }

  /// Adds a line, with the time of day.
  package func append(_ line: MetricsLine) {
    var line = line
    line.time = Date().timeIntervalSince1970
    warning {
      try AppendingFile.append(
        Array("\(line.json)\n".utf8), to: RunMetrics.path(runFolder: folder))
      if let record = EventFile.record(of: line) { try add(record, toEventsOf: line.split) }
    }
  }

  /// Removes lines of steps after `step`, and a torn last line: a resumed run writes them again.
  ///
  /// A new event file takes the points of the old ones, also where none is kept.
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

  /// Whether there is a line of a split at `step`.
  package func holds(_ split: MetricsLine.Split, step: Int) -> Bool {
    RunMetrics(runFolder: folder).lines.contains { $0.step == step && $0.split == split }
  }

  /// Begins this start's event file of a split with `records`, and empties the older ones.
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

  private func warning(_ body: () throws -> Void) {
    do { try body() } catch {
      if !hasWarned { warn("\(error)") }
      hasWarned = true
    }
  }
}
