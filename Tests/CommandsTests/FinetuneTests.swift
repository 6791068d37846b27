import Foundation
import TestSupport
import Testing
import Training

/// `finetune` as a user runs it, on small generated tasks.
@Suite(.serialized)
struct FinetuneTests {
  static let classification = [
    "finetune", "own", "--train", "train.tsv", "--dev", "dev.tsv", "--from", "run", "--epochs", "2",
    "--slices", "8", "--log-every", "3", "--micro-batch", "50", "--dropout", "0.1",
  ]

  /// The files that must be equal: weights, results, predictions, and metrics without times.
  private struct Outcome: Equatable {
    let model: Data
    let results: Data
    let answers: Data
    let metrics: [String]

    init(_ folder: TemporaryFolder, _ run: String) throws {
      func contents(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(run)/\(name)"))
      }
      model = try contents("seed-1/model/model.safetensors")
      results = try contents("results.json")
      answers = try contents("predictions/dev_predictions.tsv")
      metrics = try folder.timelessMetrics(run + "/seed-1")
    }
  }

  @Test(arguments: ["float32", "bfloat16"])
  func neitherRanksNorWorkersNorStopsChangeAByte(arithmetic: String) throws {
    let folder = try finetuningFiles()
    func run(
      _ name: String, ranks: Int? = nil, workers: Int, _ more: [String] = []
    ) throws -> Int32 {
      let result = try Program.run(
        Self.classification
          + ["--output", name, "--threads", "\(workers)", "--arithmetic", arithmetic] + more,
        ranks: ranks, in: folder.path)
      #expect([0, 75].contains(result.status), "\(name): \(result.errors)")
      return result.status
    }
    #expect(try run("whole", workers: 1) == 0)
    let whole = try Outcome(folder, "whole")
    for (ranks, workers) in [(2, 1), (1, 2), (3, 1), (2, 2)] {
      #expect(try run("\(ranks)x\(workers)", ranks: ranks, workers: workers) == 0)
      #expect(try Outcome(folder, "\(ranks)x\(workers)") == whole, "\(ranks) x \(workers)")
    }
    // Stopped after every step and resumed on other numbers of ranks and workers.
    var starts = 0
    while try run(
      "parts", ranks: starts % 3 == 0 ? nil : starts % 3 + 1, workers: 1 + starts % 2,
      ["--hours", "0"]) == 75, starts < 40
    { starts += 1 }
    #expect(starts > 10)
    #expect(try Outcome(folder, "parts") == whole)
    // Negative control: another seed gives another result.
    #expect(try run("other", workers: 1, ["--seed", "2"]) == 0)
    #expect(try Data(folder.bytes("other/seed-2/model/model.safetensors")) != whole.model)
  }

  /// Killed at a write, flush or rename of a checkpoint; every start has other ranks and workers.
  @Test
  func aKilledFinetuningComesToTheSameBytes() throws {
    let folder = try finetuningFiles()
    let whole = try Program.run(
      Self.classification + ["--output", "whole", "--threads", "1"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let killed = Self.classification + ["--output", "killed", "--save-minutes", "0"]
    for (start, point) in [3, 220, 420, 600, 800].enumerated() {
      let result = try Program.run(
        killed + ["--threads", "\(1 + start % 2)"],
        environment: ["ELECTRA_KILL_AT": "\(point)"], ranks: start % 3 == 0 ? nil : start % 3 + 1,
        in: folder.path)
      #expect(![0, 75].contains(result.status), "start \(start) was not killed")
    }
    let last = try Program.run(killed + ["--threads", "2"], in: folder.path)
    #expect(last.status == 0 && last.errors.contains("resuming after step"), "\(last.errors)")
    #expect(try Outcome(folder, "killed") == Outcome(folder, "whole"))
  }

  @Test
  func aTestSetWithAnswersIsMeasuredToo() throws {
    let folder = try finetuningFiles()
    let result = try Program.run(
      Self.classification + ["--output", "out", "--test", "dev.tsv", "--json"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    let medians = summary.measures.map(\.median)
    #expect(summary.measures.map(\.split) == ["dev", "dev", "dev", "test", "test", "test"])
    #expect(Array(medians[..<3]) == Array(medians[3...]))
  }

  @Test
  func aTaskThatALetterDecidesIsLearnt() throws {
    let folder = try finetuningFiles()
    let command = [
      "finetune", "own", "--train", "train.tsv", "--dev", "dev.tsv", "--from", "run",
      "--output", "out", "--epochs", "20", "--learning-rate", "2e-3", "--layer-decay", "1",
    ]
    let result = try Program.run(command + ["--seeds", "2", "--json"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    #expect(summary.seeds.count == 2)
    let accuracy = try #require(summary.measures.first { $0.metric == "accuracy" })
    // The more frequent label alone would give 0.57.
    #expect(accuracy.median > 0.75, "\(result.output)")
    // Finished seeds stay in the results if a later start has fewer --seeds.
    let fewer = try Program.run(command + ["--seeds", "1", "--json"], in: folder.path)
    #expect(fewer.output == result.output, "\(fewer.errors)")
  }

  private struct Summary: Decodable {
    let measures: [Measure]
    let seeds: [Seed]
    struct Measure: Decodable {
      let split: String
      let metric: String
      let median: Double
    }
    struct Seed: Decodable { let seed: Int }
  }

  /// If all labels are equal, no epoch is better than another, and the last is kept.
  @Test
  func anUndefinedMeasureIsNotBetterThanAnother() throws {
    let folder = try finetuningFiles()
    let lines = madeText(documents: 10).split(separator: "\n")
    for (name, score) in [("scores", { $0 % 5 }), ("same", { _ in 3 })] as [(String, (Int) -> Int)]
    {
      try folder.write(
        "text\tlabel\n" + lines.enumerated().map { "\($1)\t\(score($0))\n" }.joined(),
        "\(name).tsv")
    }
    let result = try Program.run(
      [
        "finetune", "own", "--problem", "regression", "--train", "scores.tsv", "--dev", "same.tsv",
        "--from", "run", "--output", "out", "--epochs", "3", "--slices", "8", "--json",
      ], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let undefined = "nan (undefined: all predictions, or all correct answers, are equal)"
    #expect(result.errors.components(separatedBy: undefined).count == 4, "\(result.errors)")
    #expect(!result.errors.contains("better"), "\(result.errors)")
    let best = try folder.text("out/seed-1/result.json")
    #expect(best.contains("\"epoch\":3"), "\(best)")
  }
}
