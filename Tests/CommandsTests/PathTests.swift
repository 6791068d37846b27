import Foundation
import Testing

/// The whole path on text that the test makes: vocabulary, shards, training, going on, evaluation,
/// detection.
struct PathTests {
  private static let pretrain = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16", "--slices",
    "4", "--threads", "2", "--log-every", "10", "--evaluate-examples", "50", "--warmup", "10",
    "--learning-rate", "1e-3",
  ]

  private func lines(_ folder: TemporaryFolder, _ run: String) throws -> [[String: Any]] {
    try String(contentsOfFile: "\(folder.path)/\(run)/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n").map {
        try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
  }

  @Test
  func fromTextToATrainedModelThatDetects() throws {
    let folder = try preparedData()
    let trained = try Program.run(
      Self.pretrain + ["--output", "run", "--steps", "60", "--keep", "1000000000"],
      in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    // What it will cost is said first, and what this machine lacks for it.
    #expect(trained.errors.contains("epochs of the data"))
    #expect(trained.errors.contains("note: up to 1000000006 checkpoints will take"))
    let metrics = try lines(folder, "run").filter { $0["split"] == nil }
    #expect(metrics.map { $0["step"] as? Int } == [10, 20, 30, 40, 50, 60])
    let losses = metrics.compactMap { $0["generator_loss"] as? Double }
    #expect(losses.count == 6 && losses[5] < losses[0] - 0.2, "\(losses)")

    let evaluated = try Program.run(
      ["evaluate", "run", "--data", "data", "--evaluate-examples", "50", "--json"],
      in: folder.path)
    let held = try lines(folder, "run").last { $0["split"] as? String == "held_out" }
    let again = try #require(
      JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
    #expect(again["loss"] as? Double == held?["loss"] as? Double)

    let detected = try Program.run(
      ["detect", "--from", "run", "--json"], input: "bakoli mune rasi.\n", in: folder.path)
    let verdict = try #require(
      JSONSerialization.jsonObject(with: Data(detected.output.utf8)) as? [String: Any])
    let tokens = try #require(verdict["tokens"] as? [String])
    #expect(tokens.first == "[CLS]" && tokens.last == "[SEP]")
    #expect((verdict["ids"] as? [Int])?.count == tokens.count)
    #expect((verdict["logits"] as? [Double])?.count == tokens.count)
  }

  @Test
  func memoryOfPrepareDoesNotGrowWithTheCorpus() throws {
    let folder = try preparedData()
    let text = madeText(documents: 2000)
    try folder.write(String(repeating: text + "\n", count: 10), "medium.txt")
    try folder.write(String(repeating: text + "\n", count: 60), "large.txt")
    let peaks = try ["medium", "large"].map { name in
      let result = try Program.run(
        ["prepare", name + ".txt", "--vocabulary", "vocab.txt", "--output", name],
        in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      return result.peakMemory
    }
    #expect(peaks[1] < 1 << 30)
    #expect(peaks[1] < peaks[0] + (200 << 20))
  }
}
