import Foundation
import TestSupport
import Testing

/// The whole path on generated text: vocabulary, shards, training, resuming, evaluation, detection.
struct PathTests {
  private static let pretrain = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16", "--slices",
    "4", "--threads", "2", "--log-every", "10", "--evaluate-examples", "50", "--warmup", "10",
    "--learning-rate", "1e-3",
  ]

  @Test
  func fromTextToATrainedModelThatDetects() throws {
    let folder = try preparedData()
    let trained = try Program.run(
      Self.pretrain + ["--output", "run", "--steps", "60", "--keep", "1000000000"],
      in: folder.path)
    #expect(trained.status == 0, "\(trained.errors)")
    // The log begins with the estimated cost and the limits of this machine.
    #expect(trained.errors.contains("60 steps of 16 sequences = "))
    #expect(trained.errors.contains("note: up to 1000000006 checkpoints will take"))
    let metrics = try folder.metrics("run").filter { $0["split"] == nil }
    #expect(metrics.map { $0["step"] as? Int } == [10, 20, 30, 40, 50, 60])
    let losses = metrics.compactMap { $0["mlm_loss"] as? Double }
    #expect(losses.count == 6 && losses[5] < losses[0] - 0.2, "\(losses)")

    let evaluated = try Program.run(
      ["evaluate", "run", "--data", "data", "--evaluate-examples", "50", "--json"],
      in: folder.path)
    let held = try folder.metrics("run").last { $0["split"] as? String == "held_out" }
    let again = try #require(
      JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
    #expect(again["loss"] as? Double == held?["loss"] as? Double)

    let detected = try Program.run(
      ["detect", "--from", "run", "--json"], input: "bakoli mune rasi.\n", in: folder.path)
    let result = try #require(
      JSONSerialization.jsonObject(with: Data(detected.output.utf8)) as? [String: Any])
    let tokens = try #require(result["tokens"] as? [String])
    #expect(tokens.first == "[CLS]" && tokens.last == "[SEP]")
    #expect((result["ids"] as? [Int])?.count == tokens.count)
    #expect((result["logits"] as? [Double])?.count == tokens.count)
  }

  /// Cased text with accents, in files that are one document each.
  @Test
  func capitalsAndAccentsAreKeptAllTheWay() throws {
    let folder = try TemporaryFolder()
    let page = "Der Ärger über Öl ist groß.\n\nDas Öl ist süß.\n"
    for book in ["a.txt", "b.txt"] { try folder.write(String(repeating: page, count: 50), book) }
    func run(_ line: String, input: String = "") throws -> String {
      let result = try Program.run(
        line.split(separator: " ").map(String.init), input: input, in: folder.path)
      #expect(result.status == 0, "\(line): \(result.errors)")
      return result.output
    }
    _ = try run("vocabulary a.txt b.txt --output few.txt --size 60 --cased --alphabet 4")
    #expect(try folder.text("few.txt").split(separator: "\n").count { $0.count == 1 } == 4)
    _ = try run("vocabulary a.txt b.txt --output vocab.txt --size 60 --cased")
    let ids = try run("tokenize --vocabulary vocab.txt --cased --json", input: "Ärger Öl das")
    #expect(ids.contains("\"tokens\":[\"Ärger\",\"Öl\",\"[UNK]\"]"), "\(ids)")

    let report = try run(
      "prepare a.txt b.txt --vocabulary vocab.txt --output data --cased --file-is-document "
        + "--length 16 --held-out 0")
    #expect(report.contains("documents   2 ") && report.contains("(0 unknown,"), "\(report)")
    _ = try run(
      "pretrain --data data --preset tiny --length 16 --batch 4 --slices 1 --threads 1 --steps 2 "
        + "--output run")
    _ = try run("export --from run --output model")
    for model in ["run", "model"] {
      let result = try run("detect --from \(model) --json", input: "Der Ärger")
      #expect(result.contains("[\"[CLS]\",\"Der\",\"Ärger\",\"[SEP]\"]"), "\(result)")
    }
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
