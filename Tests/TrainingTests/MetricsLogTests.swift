import Foundation
import Layers
import TestSupport
import Testing
import Training

struct MetricsLogTests {
  private func log(_ folder: TemporaryFolder) -> MetricsLog {
    MetricsLog(folder: folder.path) { Issue.record("\($0)") }
  }

  private func line(_ step: Int, _ split: MetricsLine.Split = .training) -> MetricsLine {
    MetricsLine(step: step, split: split)
  }

  @Test
  func numbersReadBackToTheSameValue() throws {
    let folder = try TemporaryFolder()
    let value = 0.1 + 0.2
    var line = MetricsLine(step: 7, split: .heldOut)
    line.append([(.examples, 40), (.loss, value), (.discriminatorAUC, .nan)])
    line.append(named: MetricName.score("f1", of: "dev"), 1e-300)
    log(folder).append(line)
    let text = try folder.text("metrics.jsonl")
    #expect(
      text.hasPrefix(
        #"{"step": 7, "split": "held_out", "examples": 40, "loss": 0.30000000000000004, "#
          + #""discriminator_auc": null, "dev_f1": 1e-300, "time": "#))
    let read = RunMetrics(runFolder: folder.path).lines
    #expect(read.count == 1 && read[0].step == 7 && read[0].split == .heldOut)
    #expect(read[0][.loss] == value && read[0][named: "dev_f1"] == 1e-300)
    #expect(read[0][.discriminatorAUC] == nil && read[0][.examples] == 40)
  }

  /// A written line reads back to an equal line, except for the order of its values.
  @Test
  func aLineReadsBackToItself() throws {
    var line = MetricsLine(step: 3, split: .training, tokens: 12)
    line.append([(.learningRate, 1e-4), (.loss, 2)])
    line.time = 1.5
    #expect(
      line.json == #"{"step": 3, "tokens": 12, "learning_rate": 0.0001, "loss": 2.0, "time": 1.5}"#)
    #expect(MetricsLine(json: Data(line.json.utf8)) == line)
    for json in ["", "{", "[]", "{}", #"{"step": "1"}"#, #"{"step": 1, "split": "other"}"#] {
      #expect(MetricsLine(json: Data(json.utf8)) == nil, "\(json)")
    }
  }

  @Test
  func resumingCutsLaterAndTornLines() throws {
    let folder = try TemporaryFolder()
    let log = log(folder)
    for step in 1...5 { log.append(line(step)) }
    try folder.write(try folder.text("metrics.jsonl") + "{\"step\": 3, \"lo", "metrics.jsonl")
    log.cut(afterStep: 3)
    #expect(try folder.metrics("").map { $0["step"] as? Int } == [1, 2, 3])
    #expect(log.holds(.training, step: 3) && !log.holds(.heldOut, step: 3))
    #expect(!log.holds(.training, step: 4))
  }

  @Test
  func aFailureToWriteIsReportedOnceAndEndsNothing() {
    var warnings: [String] = []
    let log = MetricsLog(folder: "/proc/nowhere") { warnings.append($0) }
    log.append(line(1))
    log.append(line(2))
    #expect(warnings == ["cannot write /proc/nowhere/metrics.jsonl: No such file or directory"])
  }

  @Test
  func textIsEscaped() throws {
    let folder = try TemporaryFolder()
    var line = line(1, .health)
    line.append(.sentence, text: "a\"b/c\n")
    log(folder).append(line)
    #expect(try folder.metrics("")[0]["sentence"] as? String == "a\"b/c\n")
    #expect(RunMetrics(runFolder: folder.path).lines[0].text(.sentence) == "a\"b/c\n")
    #expect(try folder.text("metrics.jsonl").contains(#""sentence": "a\"b/c\n""#))
  }
}
