import Foundation
import TestSupport
import Testing

/// Samples that are equal for all models: `electra evaluate --samples`.
struct EvaluateSamplesTests {
  private static let pretrain =
    ["pretrain"] + smallModel + ["--data", "data", "--batch", "8", "--steps", "2", "--output"]

  private static func run(
    _ arguments: [String], ranks: Int? = nil, in folder: TemporaryFolder
  ) throws -> Program.Result {
    try Program.run(["evaluate"] + arguments, ranks: ranks, in: folder.path)
  }

  /// Runs of other seeds, masks and objectives judge the same tokens; untrained models guess.
  @Test
  func allModelsJudgeTheSameTokens() throws {
    let folder = try shortRun()
    try runAll(
      [
        Self.pretrain + ["other", "--seed", "9", "--mask-fraction", "0.3"],
        Self.pretrain + ["gate", "--objective", "all-tokens-mlm", "--generator", "unigram"],
        Self.pretrain + ["both", "--objective", "mlm-rtd", "--temperature", "2"]
          + ["--generator", "transformer"],
        Self.pretrain + ["bert", "--objective", "mlm"],
        ["export", "--from", "run", "--output", "generator", "--part", "generator"],
      ], in: folder)
    var samples: [String: Set<String>] = [:]
    for source in ["unigram", "run", "generator", "bert"] {
      for model in source == "run" ? ["run", "other", "gate", "both"] : ["other", "run"] {
        let command = [model, "--data", "data", "--samples", source, "--json"]
        let result = try Self.run(command + ["--threads", "1"], in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let values = try #require(
          JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(values["examples"] as? Int ?? 0 > 30)
        let auc = try #require(values["discriminator_auc"] as? Double)
        // Of other sources an untrained model may prefer some tokens to those of the text.
        #expect(source != "unigram" || abs(auc - 0.5) < 0.1, "\(model): \(auc)")
        samples[source, default: []].insert(values["samples_crc32c"] as? String ?? "none")
        if model == "other" {
          #expect(
            try Self.run(command + ["--threads", "3"], ranks: 2, in: folder).output == result.output
          )
        }
      }
    }
    #expect(samples.values.allSatisfy { $0.count == 1 }, "\(samples)")
    // The exported generator is that of the run; other sources have other samples.
    #expect(samples["generator"] == samples["run"])
    #expect(Set(samples.values).count == 3, "\(samples)")
    let text = try Self.run(["run", "--data", "data", "--samples", "unigram"], in: folder)
    #expect(text.output.hasPrefix("step 5, ") && text.output.contains(" examples with samples of "))
  }

  @Test
  func whatCannotBeComparedIsNamed() throws {
    let folder = try shortRun()
    try runAll(
      [
        Self.pretrain + ["bert", "--objective", "mlm"],
        Self.pretrain + ["frequencies", "--generator", "unigram"],
        ["vocabulary", "text.txt", "--size", "200", "--output", "small.txt"],
        [
          "prepare", "text.txt", "--vocabulary", "small.txt", "--output", "small", "--length", "32",
        ],
        ["prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "long", "--length", "48"],
      ], in: folder)
    for (arguments, status, reason) in [
      (["bert", "--data", "data", "--samples", "unigram"], 65, "no head that detects replaced"),
      (
        ["run", "--data", "data", "--samples", "frequencies"], 65,
        "neither a generator nor a masked"
      ),
      (["run", "--data", "data", "--samples", "none"], 66, "none"),
      (
        ["run", "--data", "small", "--samples", "unigram"], 64, "prepare the data with --vocabulary"
      ),
      (["run", "--data", "long", "--samples", "unigram"], 64, "prepare the data with --length 32"),
      (["run", "--text", "text.txt", "--samples", "unigram"], 64, "--samples needs --data"),
    ] as [([String], Int32, String)] {
      let result = try Self.run(arguments, in: folder)
      #expect(result.status == status, "\(arguments): \(result.status) \(result.errors)")
      #expect(result.errors.contains(reason) && result.output.isEmpty, "\(result.errors)")
    }
  }
}
