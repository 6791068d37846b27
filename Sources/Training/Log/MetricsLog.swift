import Foundation

/// The metrics of a run, in the order of the steps: `metrics.jsonl`, one JSON object a line, and the
/// same numbers as TensorBoard event files.
///
/// A split of its own (`held_out`) has its event file in a folder of that name, so that TensorBoard
/// draws its curves over those of training. Event files follow from the lines: each start writes a new
/// one from the lines that are kept, and empties the old, without removing them: a TensorBoard that is
/// open goes from file to file. A failure to write never ends a run; it is reported once.
package final class MetricsLog {
  private let folder: String
  private let warn: (String) -> Void
  private var hasWarned = false
  private static let heldOut = "held_out"
  /// The name of this start's event files.
  private lazy var eventName = EventFile.name(
    after: [nil, Self.heldOut].flatMap { EventFile.names(in: eventFolder($0)) })

  private var path: String { folder + "/metrics.jsonl" }

  /// - Parameters:
  ///   - folder: the run's.
  ///   - warn: told when a line cannot be written.
  package init(folder: String, warn: @escaping (String) -> Void) {
    self.folder = folder
    self.warn = warn
  }

  /// Adds a line, with the time of day; numbers are printed so that they read back to the same value,
  /// and those that JSON does not know as null.
  package func append(_ entries: [(name: String, value: Value)]) {
    let timed = entries + [("time", .number(Date().timeIntervalSince1970))]
    let fields = timed.map { "\"\($0.name)\": \($0.value.json)" }
    let line = Data("{\(fields.joined(separator: ", "))}\n".utf8)
    telling {
      try line.append(toFile: path)
      guard let point = Point(line: line), !point.isWithoutCurves else { return }
      try add(point.record, toEventsOf: point.split)
    }
  }

  /// Removes lines of steps after `step`, and a torn last line: what a resumed run will say again.
  /// A new event file takes the points of the old ones, also where none is kept.
  package func cut(afterStep step: Int) {
    guard let text = FileManager.default.contents(atPath: path) else { return }
    var kept = Data()
    var events: [String?: Data] = [:]
    for line in text.split(separator: 0x0A) {
      guard let point = Point(line: line), point.step <= step else { continue }
      kept += line + [0x0A]
      if point.isWithoutCurves { continue }
      events[point.split, default: Data()] += point.record
    }
    telling {
      if kept != text { try kept.write(to: URL(fileURLWithPath: path), options: .atomic) }
      for split in Set(events.keys).union([nil, Self.heldOut]) {
        let old = EventFile.names(in: eventFolder(split)).filter { $0 != eventName }
        let records = events[split] ?? Data()
        if !(old.isEmpty && records.isEmpty) { try add(records, toEventsOf: split) }
        for name in old {
          try Data().write(to: URL(fileURLWithPath: "\(eventFolder(split))/\(name)"))
        }
      }
    }
  }

  /// Whether there is a line of a split at `step`.
  package func holds(split: String, step: Int) -> Bool {
    guard let text = FileManager.default.contents(atPath: path) else { return false }
    return text.split(separator: 0x0A).reversed().lazy.compactMap { Point(line: $0) }
      .prefix { $0.step >= step }.contains { $0.step == step && $0.split == split }
  }

  private func add(_ records: Data, toEventsOf split: String?) throws {
    let folder = eventFolder(split)
    let path = "\(folder)/\(eventName)"
    if !FileManager.default.fileExists(atPath: path) {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try EventFile.header.append(toFile: path)
    }
    try records.append(toFile: path)
  }

  private func eventFolder(_ split: String?) -> String {
    split.map { "\(folder)/\($0)" } ?? folder
  }

  private func telling(_ body: () throws -> Void) {
    do { try body() } catch {
      if !hasWarned { warn("cannot write \(path): \(error.localizedDescription)") }
      hasWarned = true
    }
  }

  /// A line as the points of curves.
  private struct Point {
    let step: Int
    let split: String?
    private let time: Double
    private let scalars: [(name: String, value: Double)]

    /// nil for a line that is torn or has no step.
    init?(line: Data) {
      guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
        let step = object["step"] as? Int
      else { return nil }
      self.step = step
      split = object["split"] as? String
      time = object["time"] as? Double ?? 0
      scalars = object.keys.sorted().filter { $0 != "step" && $0 != "time" }.compactMap { name in
        (object[name] as? Double).map { (name, $0) }
      }
    }

    /// Whether it only has something to say.
    var isWithoutCurves: Bool { scalars.isEmpty }

    var record: Data { EventFile.record(step: step, time: time, scalars: scalars) }
  }

  /// What a line can hold.
  package enum Value: Sendable {
    case number(Double)
    case count(Int)
    case text(String)

    fileprivate var json: String {
      switch self {
      case .number(let value): value.isFinite ? "\(value)" : "null"
      case .count(let value): "\(value)"
      case .text(let value):
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
      }
    }
  }
}
