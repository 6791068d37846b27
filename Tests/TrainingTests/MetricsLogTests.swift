import Foundation
import TestSupport
import Testing
import Training

struct MetricsLogTests {
  private func lines(_ path: String) throws -> [[String: Any]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test
  func numbersReadBackToTheSameValue() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("metrics.jsonl")
    let log = MetricsLog(folder: folder.path) { Issue.record("\($0)") }
    let value = 0.1 + 0.2
    log.append([
      ("step", .count(7)), ("loss", .number(value)), ("auc", .number(.nan)),
      ("tiny", .number(1e-300)), ("split", .text("held_out")),
    ])
    struct Line: Decodable {
      let step: Int
      let loss, tiny: Double
      let auc: Double?
      let split: String
    }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
    #expect(line.step == 7 && line.loss == value && line.tiny == 1e-300)
    #expect(line.auc == nil && line.split == "held_out")
    #expect(text.hasPrefix(#"{"step": 7, "loss": 0.30000000000000004, "auc": null"#))
  }

  @Test
  func resumingCutsLaterAndTornLines() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("metrics.jsonl")
    let log = MetricsLog(folder: folder.path) { Issue.record("\($0)") }
    for step in 1...5 { log.append([("step", .count(step))]) }
    try folder.write(
      try Data(contentsOf: URL(fileURLWithPath: path)) + Data("{\"step\": 3, \"lo".utf8),
      "metrics.jsonl")
    log.cut(afterStep: 3)
    #expect(try lines(path).map { $0["step"] as? Int } == [1, 2, 3])
  }

  @Test
  func aFailureToWriteIsToldOnceAndEndsNothing() {
    var warnings: [String] = []
    let log = MetricsLog(folder: "/proc/nowhere") { warnings.append($0) }
    log.append([("step", .count(1))])
    log.append([("step", .count(2))])
    #expect(warnings.count == 1)
  }

  @Test
  func textIsEscaped() throws {
    let folder = try TemporaryFolder()
    let log = MetricsLog(folder: folder.path) { Issue.record("\($0)") }
    log.append([("split", .text("a\"b\n"))])
    #expect(try lines(folder.file("metrics.jsonl"))[0]["split"] as? String == "a\"b\n")
  }
}
