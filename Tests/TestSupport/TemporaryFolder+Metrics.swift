import Foundation

// The metrics of a run, read without the program's reader.

extension TemporaryFolder {
  /// The lines of `metrics.jsonl` in the folder `run`, one object each.
  package func metrics(_ run: String) throws -> [[String: Any]] {
    try text(run + "/metrics.jsonl").split(separator: "\n").map { line in
      guard
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      else { throw CocoaError(.fileReadCorruptFile) }
      return object
    }
  }

  /// The lines without values that depend on time, as text for comparisons: `loss=8.25 step=1`.
  package func timelessMetrics(_ run: String) throws -> [String] {
    let times: Set = [
      "seconds", "time", "tokens_per_second", "communication_fraction", "input_fraction",
      "evaluation_fraction", "checkpoint_fraction", "rank_seconds_fastest", "rank_seconds_median",
      "rank_seconds_slowest", "slowest_rank",
    ]
    return try metrics(run).map { line in
      line.filter { !times.contains($0.key) }.sorted { $0.key < $1.key }
        .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
  }
}
