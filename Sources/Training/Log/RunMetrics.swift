import Foundation
import Layers

/// The complete lines of a `metrics.jsonl`, in the order of the file.
///
/// A line that `MetricsLine` cannot read, such as one that a crash cut short, is skipped.
package struct RunMetrics {
  /// The path of the metrics file in a run's folder.
  package static func path(runFolder: String) -> String { runFolder + "/metrics.jsonl" }

  package let lines: [MetricsLine]
  /// The bytes of the file.
  let contents: Data
  /// The bytes of each line, without the line's end.
  private let encoded: [Data]

  /// Reads the metrics of a run; a missing file has no lines.
  package init(runFolder: String) {
    contents = FileManager.default.contents(atPath: Self.path(runFolder: runFolder)) ?? Data()
    let all = contents.split(separator: UInt8(ascii: "\n")).compactMap { bytes in
      MetricsLine(json: bytes).map { (bytes, $0) }
    }
    (encoded, lines) = (all.map(\.0), all.map(\.1))
  }

  /// The lines of one split.
  package func lines(_ split: MetricsLine.Split) -> [MetricsLine] {
    lines.filter { $0.split == split }
  }

  /// The unchanged bytes of all complete lines whose step is at most `step`.
  func contents(upToStep step: Int) -> Data {
    zip(encoded, lines).reduce(into: Data()) { kept, line in
      if line.1.step <= step { kept += line.0 + [UInt8(ascii: "\n")] }
    }
  }
}
