import Foundation
import Layers

/// The lines of a `metrics.jsonl`, in their order, without those that are torn.
package struct RunMetrics {
  /// The file of metrics in a run's folder.
  package static func path(runFolder: String) -> String { runFolder + "/metrics.jsonl" }

  package let lines: [MetricsLine]
  /// The bytes of the file.
  let contents: Data
  /// The bytes of each line, without the line's end.
  private let encoded: [Data]

  /// Reads the metrics of a run; no lines where there is no file.
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

  /// The bytes of all lines up to `step`, as they were written.
  func contents(upToStep step: Int) -> Data {
    zip(encoded, lines).reduce(into: Data()) { kept, line in
      if line.1.step <= step { kept += line.0 + [UInt8(ascii: "\n")] }
    }
  }
}
