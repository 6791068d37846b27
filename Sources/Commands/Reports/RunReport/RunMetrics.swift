import Foundation

/// The lines of a `metrics.jsonl`, in their order. Lines that are torn are left out.
struct RunMetrics {
  /// A line: its step, its split, and what else it holds.
  struct Line {
    let step: Int
    /// `held_out` or `health`; nil for training.
    let split: String?
    let numbers: [String: Double]
    let texts: [String: String]

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

  let lines: [Line]

  /// No lines where there is no file.
  init(path: String) {
    let data = FileManager.default.contents(atPath: path) ?? Data()
    lines = data.split(separator: UInt8(ascii: "\n")).compactMap(Line.init)
  }
}
