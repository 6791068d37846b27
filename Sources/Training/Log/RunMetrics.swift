import Foundation

/// The lines of a `metrics.jsonl`, in their order. Lines that are torn are left out.
package struct RunMetrics {
  /// A line: its step, its split, and what else it holds.
  package struct Line {
    package let step: Int
    /// `held_out` or `health`; nil for training.
    package let split: String?
    package let numbers: [String: Double]
    package let texts: [String: String]

    /// nil for what is not an object with a step.
    init?(_ line: Data) {
      guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
        let step = object["step"] as? Int
      else { return nil }
      self.step = step
      split = object["split"] as? String
      numbers = object.compactMapValues { $0 as? Double }
      texts = object.compactMapValues { $0 as? String }
    }
  }

  package let lines: [Line]

  /// No lines where there is no file.
  package init(path: String) {
    let data = FileManager.default.contents(atPath: path) ?? Data()
    lines = data.split(separator: UInt8(ascii: "\n")).compactMap(Line.init)
  }
}
