import Foundation
import TestSupport
import Testing
import Training

/// `finetune` as a user runs it, on small tasks of the test's own making.
@Suite(.serialized)
struct FinetuneTests {
  /// A folder with a short run, and files of three tasks in which a word tells the answer.
  private static func folder() throws -> TemporaryFolder {
    let folder = try preparedData(documents: 200)
    let made = try Program.run(
      [
        "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--batch", "8",
        "--steps", "5",
      ], in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    let lines = madeText(documents: 60).split(separator: "\n").map(String.init)
    func isMarked(_ line: String) -> Bool { line.contains("ba") }
    let parts = [("train", lines[..<300]), ("dev", lines[300...])]
    for (name, lines) in parts {
      try folder.write(
        "text\tlabel\n" + lines.map { "\($0)\t\(isMarked($0) ? "yes" : "no")\n" }.joined(),
        "\(name).tsv")
      try folder.write(
        lines.map { line in
          line.split(separator: " ").map { "\($0) \(isMarked(String($0)) ? "B-x" : "O")\n" }
            .joined() + "\n"
        }.joined(), "\(name).txt")
    }
    return folder
  }

  private static let classification = [
    "finetune", "own", "--train", "train.tsv", "--dev", "dev.tsv", "--from", "run", "--epochs", "2",
    "--slices", "8", "--log-every", "3", "--micro-batch", "50", "--dropout", "0.1",
  ]

  /// What must be equal: weights, results, answers, metrics but for times.
  private struct Outcome: Equatable {
    let model: Data?
    let results: Data?
    let answers: Data?
    let metrics: [String]

    init(_ folder: TemporaryFolder, _ run: String) throws {
      func contents(_ name: String) -> Data? {
        FileManager.default.contents(atPath: "\(folder.path)/\(run)/\(name)")
      }
      model = contents("seed-1/model/model.safetensors")
      results = contents("results.json")
      answers = contents("predictions/dev_predictions.tsv")
      metrics = try String(
        contentsOfFile: "\(folder.path)/\(run)/seed-1/metrics.jsonl", encoding: .utf8
      ).split(separator: "\n").map { line in
        let object = try #require(
          JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        return object.filter { !InvarianceTests.timeKeys.contains($0.key) }
          .map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
      }
    }
  }

  @Test
  func neitherRanksNorLanesNorStopsChangeAByte() throws {
    let folder = try Self.folder()
    func run(
      _ name: String, ranks: Int? = nil, lanes: Int, _ more: [String] = []
    ) throws -> Int32 {
      let result = try Program.run(
        Self.classification + ["--output", name, "--threads", "\(lanes)"] + more, ranks: ranks,
        in: folder.path)
      #expect([0, 75].contains(result.status), "\(name): \(result.errors)")
      return result.status
    }
    #expect(try run("whole", lanes: 1) == 0)
    let whole = try Outcome(folder, "whole")
    #expect(whole.model != nil && whole.results != nil && whole.answers != nil)
    for (ranks, lanes) in [(2, 1), (1, 2), (3, 1), (2, 2)] {
      #expect(try run("\(ranks)x\(lanes)", ranks: ranks, lanes: lanes) == 0)
      #expect(try Outcome(folder, "\(ranks)x\(lanes)") == whole, "\(ranks) x \(lanes)")
    }
    // Stopped after every step, and gone on with by other numbers of ranks and lanes.
    var starts = 0
    while try run(
      "parts", ranks: starts % 3 == 0 ? nil : starts % 3 + 1, lanes: 1 + starts % 2,
      ["--hours", "0"]) == 75, starts < 40
    { starts += 1 }
    #expect(starts > 10)
    #expect(try Outcome(folder, "parts") == whole)
    // The negative control: another seed is another result.
    #expect(try run("other", lanes: 1, ["--seed", "2"]) == 0)
    #expect(
      FileManager.default.contents(
        atPath: folder.path + "/other/seed-2/model/model.safetensors") != whole.model)
  }

  /// By `kill -9` at some write, flush or rename of a checkpoint, each start on other ranks and lanes.
  @Test
  func aKilledFinetuningComesToTheSameBytes() throws {
    let folder = try Self.folder()
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
    #expect(last.status == 0 && last.errors.contains("going on after step"), "\(last.errors)")
    #expect(try Outcome(folder, "killed") == Outcome(folder, "whole"))
  }

  @Test
  func aTestSetWithAnswersIsMeasuredToo() throws {
    let folder = try Self.folder()
    let result = try Program.run(
      Self.classification + ["--output", "out", "--test", "dev.tsv", "--json"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    let medians = summary.measures.map(\.median)
    #expect(summary.measures.map(\.split) == ["dev", "dev", "dev", "test", "test", "test"])
    #expect(Array(medians[..<3]) == Array(medians[3...]))
  }

  @Test
  func aTaskThatAWordDecidesIsLearnt() throws {
    let folder = try Self.folder()
    let command = [
      "finetune", "own", "--train", "train.tsv", "--dev", "dev.tsv", "--from", "run",
      "--output", "out", "--epochs", "20", "--learning-rate", "2e-3", "--layer-decay", "1",
    ]
    let result = try Program.run(command + ["--seeds", "2", "--json"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let summary = try JSONDecoder().decode(Summary.self, from: Data(result.output.utf8))
    #expect(summary.seeds.count == 2)
    let accuracy = try #require(summary.measures.first { $0.metric == "accuracy" })
    #expect(accuracy.median > 0.9, "\(result.output)")
    // Seeds that are done stay in the results when fewer are asked for.
    let fewer = try Program.run(command + ["--seeds", "1", "--json"], in: folder.path)
    #expect(fewer.output == result.output, "\(fewer.errors)")
  }

  /// Ranks whose hosts have other dev files would wait for each other for ever.
  @Test
  func ranksWithOtherDevDataAreRefused() throws {
    let folder = try Self.folder()
    for (rank, dev) in ["dev.tsv", "train.tsv"].enumerated() {
      let own = "\(folder.path)/\(rank)"
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: false)
      for (name, from) in [("train.tsv", "train.tsv"), ("dev.tsv", dev)] {
        try FileManager.default.copyItem(
          atPath: "\(folder.path)/\(from)", toPath: "\(own)/\(name)")
      }
    }
    let result = try Program.shell(
      ". \(Program.launch)/environment.sh; exec mpirun -q --timeout 120 -np 2 bash -c "
        + "'exec \(Program.path) finetune own --from run --output out "
        + "--data $OMPI_COMM_WORLD_RANK'", in: folder.path)
    #expect(result.status == 78, "\(result.errors)")
    #expect(result.errors.contains("dev or test data"), "\(result.errors)")
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

  @Test
  func aDryRunMakesNothing() throws {
    let folder = try Self.folder()
    let result = try Program.run(
      Self.classification + ["--output", "out", "--dry-run"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("300 training sequences"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
  }

  @Test
  func whatIsWrongIsSaidInOneSentenceOnEveryShape() throws {
    let folder = try Self.folder()
    try folder.write("text\tlabel\nba ko\tyes\nli mu\tperhaps\n", "bad.tsv")
    try folder.write("", "empty.tsv")
    try folder.write("text\tlabel\nba ko\tyes\nli mu\tyes\n", "one.tsv")
    try folder.write("text\tlabel\nba ko\tyes\nli mu\n", "short.tsv")
    let exported = try Program.run(
      ["export", "--from", "run", "--output", "other"], in: folder.path)
    #expect(exported.status == 0, "\(exported.errors)")
    try folder.write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nba\n", "other/vocab.txt")
    let finetune = ["finetune", "own", "--from", "run", "--output", "out"]
    let files = ["--train", "train.tsv", "--dev", "dev.tsv"]
    let cases: [(arguments: [String], status: Int32, says: String)] = [
      (finetune + ["--train", "train.tsv", "--dev", "bad.tsv"], 65, "bad.tsv, line 3"),
      (finetune + ["--train", "train.tsv", "--dev", "none.tsv"], 66, "none.tsv"),
      (finetune + ["--train", "empty.tsv", "--dev", "dev.tsv"], 65, "no examples in empty.tsv"),
      (finetune + ["--train", "train.tsv", "--dev", "empty.tsv"], 65, "no examples in empty.tsv"),
      (finetune + ["--train", "one.tsv", "--dev", "dev.tsv"], 65, "has the label \"yes\""),
      (finetune + ["--train", "short.tsv", "--dev", "dev.tsv"], 65, "short.tsv, line 3: 1"),
      (finetune + files + ["--text", "body"], 65, "no column body"),
      (
        ["finetune", "own", "--from", "other", "--output", "out"] + files, 65,
        "vocab.txt and tokenizer.json have different tokens"
      ), (["predict", "--from", "run"], 66, "the folder of a finished finetune is needed"),
      (finetune + files + ["--length", "1000"], 64, "a length of 1000"),
      (finetune + files + ["--slices", "3"], 64, "power of two"),
      (finetune + files + ["--epochs", "0"], 64, "epochs are 0"),
      (finetune + files + ["--epochs", "1e300"], 64, "at most 100000"),
      (finetune + files + ["--batch", "9223372036854775807"], 64, "a batch of 92233720"),
      (finetune + files + ["--text", "9223372036854775807"], 65, "no column 92233720"),
      (
        finetune + ["--problem", "tagging", "--train", "train.txt", "--dev", "dev.txt"]
          + ["--text", "form"], 64, "train.txt has columns without names"
      ),
      (["finetune", "own", "--from", "data", "--output", "out"] + files, 66, "it holds no model"),
      (["finetune", "poetry", "--from", "run", "--output", "out"] + files, 64, "no task poetry"),
      (
        ["finetune", "cola", "--from", "run", "--output", "out", "--data", "data"], 66, "train.tsv"
      ),
    ]
    for (arguments, status, says) in cases {
      for ranks in [nil, 2] {
        let result = try Program.run(arguments, ranks: ranks, in: folder.path)
        #expect(result.status == status, "\(arguments): \(result.errors)")
        #expect(result.errors.contains(says), "\(arguments): \(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
  }

  @Test
  func nothingThatMattersMayChangeInsideAFinetuning() throws {
    let folder = try Self.folder()
    let first = try Program.run(
      Self.classification + ["--output", "out", "--hours", "0"], in: folder.path)
    #expect(first.status == 75, "\(first.errors)")
    let second = try Program.run(
      [
        "pretrain", "--data", "data", "--output", "second", "--preset", "tiny", "--batch", "8",
        "--steps", "2",
      ], in: folder.path)
    #expect(second.status == 0, "\(second.errors)")
    for (option, value) in [
      ("--learning-rate", "0.5"), ("--batch", "16"), ("--slices", "4"), ("--head", "reference"),
      ("--dev", "train.tsv"), ("--test", "dev.tsv"), ("--train", "dev.tsv"), ("--from", "second"),
      ("--length", "20"), ("--epochs", "3"), ("--layer-decay", "0.5"), ("--warmup", "0.3"),
      ("--dropout", "0.2"), ("--micro-batch", "70"), ("--seed", "7"), ("--scratch", nil),
      ("--text", "label"),
    ] {
      // What a dry run finds right can be done.
      for dry in [[], ["--dry-run"]] {
        let result = try Program.run(
          Self.classification + ["--output", "out", option] + [value].compactMap(\.self) + dry,
          in: folder.path)
        #expect(result.status == 64, "\(option): \(result.errors)")
        #expect(result.errors.contains("out holds another fine-tuning"), "\(result.errors)")
        #expect(result.errors.contains(option), "\(option): \(result.errors)")
      }
    }
    // What changes no result may change; so may the seeds that are to come.
    let other = try Program.run(
      Self.classification + [
        "--output", "out", "--threads", "2", "--log-every", "2", "--save-minutes", "1", "--hours",
        "0", "--deadline", "step=90", "--grace", "20", "--seeds", "2",
      ], in: folder.path)
    #expect(other.status == 75, "\(other.errors)")
    let same = try Program.run(Self.classification + ["--output", "out"], in: folder.path)
    #expect(same.status == 0, "\(same.errors)")
  }

  /// Where the right answers are all the same no epoch is better than another: the last counts.
  @Test
  func anUndefinedMeasureIsNotBetterThanAnother() throws {
    let folder = try Self.folder()
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
    let undefined = "nan (undefined: the answers or the right ones are all the same)"
    #expect(result.errors.components(separatedBy: undefined).count == 4, "\(result.errors)")
    #expect(!result.errors.contains("better"), "\(result.errors)")
    let best = try String(contentsOfFile: folder.path + "/out/seed-1/result.json", encoding: .utf8)
    #expect(best.contains("\"epoch\":3"), "\(best)")
  }
}
