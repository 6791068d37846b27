import Finetuning
import Foundation
import TestSupport
import Testing

/// `electra compare`, and small runs of the studies in `Launch`.
@Suite(.serialized)
struct StudyTests {
  private func compare(
    _ folder: TemporaryFolder, _ study: String = "study.json"
  ) throws -> Program.Result {
    try Program.run(
      ["compare", study, "--csv", "table.csv", "--picture", "picture.svg"], in: folder.path)
  }

  @Test
  func aStudyIsPrintedAndWritten() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      {"study": "s", "seeds": "fine-tuning", "scores": ["F1"],
      "systems": [{"key": "a", "question": "q", "name": "first", "paper": "85.0", "rank": 1},
      {"key": "b", "question": "q", "name": "second", "paper": "84.3", "rank": 2}],
      "runs": [{"system": "a", "seed": 1, "scores": {"F1": 60}},
      {"system": "a", "seed": 2, "scores": {"F1": 62}},
      {"system": "b", "seed": 1, "scores": {"F1": 65}},
      {"system": "b", "seed": 2, "scores": {"F1": 71}}]}
      """, "study.json")
    let result = try compare(folder)
    #expect(result.status == 0, "\(result.errors)")
    for line in [
      "| first | 85.0 | 61.0 ± 1.4 | 61.0 ± 1.4 | - | - | - |",
      "Pairs in the paper's order: 0 of 1 (rank correlation -1.00). "
        + "Exceptions: second above first by 7.0 ± 4.5.",
    ] {
      #expect(result.output.contains(line + "\n"), "\(line)\n\(result.output)")
    }
    #expect(try folder.text("table.csv").contains("q,second,84.3,2,,,,2,68.0000,4.2426"))
    #expect(try #require(Elements(try folder.text("picture.svg"))).counts["circle"] == 6)
    // Existing output files are replaced.
    #expect(try compare(folder).status == 0)
  }

  @Test(arguments: [
    (nil, 66, "there is no file study.json"), ("q\ta\tx\t1\ta\n", 65, "cannot use study.json"),
    (
      #"{"scores": [], "seeds": "", "systems": [], "runs": []}"#, 65,
      "study.json is a study without systems"
    ),
  ])
  func whatIsNoStudyIsRefused(text: String?, status: Int32, sentence: String) throws {
    let folder = try TemporaryFolder()
    if let text { try folder.write(text, "study.json") }
    let result = try compare(folder)
    #expect(result.status == status && result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  /// A folder with text and small CoLA files.
  private func labels() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(madeText(documents: 100), "text.txt")
    try writeLabels(folder)
    return folder
  }

  private func writeLabels(_ folder: TemporaryFolder) throws {
    let path = folder.path + "/labels/glue/CoLA"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let rows = madeText(documents: 12).split(separator: "\n").map {
      "made\t\($0.contains("ba") ? 1 : 0)\t\t\($0)\n"
    }
    try folder.write(rows[..<64].joined(), "labels/glue/CoLA/train.tsv")
    try folder.write(rows[64...].joined(), "labels/glue/CoLA/dev.tsv")
  }

  private static let small = [
    "labels", "--output", "out", "--text", "text.txt", "--vocabulary", "300", "--length", "32",
    "--batch", "4", "--warmup", "1", "--tasks", "cola:1",
  ]

  @Test
  func aSystemIsMadeOnceForAllStudies() throws {
    let folder = try labels()
    let small = Self.small + ["--steps", "8", "--seeds", "2"]
    let pays = try Program.script("studies/pretraining-pays.py", small, in: folder.path)
    #expect(pays.status == 0, "\(pays.output)\(pays.errors)")
    #expect(pays.output.matches(of: /\| \w.* ± .*\|\n/).count == 3, "\(pays.output)")
    func log() throws -> String {
      try folder.text("out/log.txt")
    }
    let before = try log().count
    let parts = try Program.script(
      "studies/ablations.py", small + ["--studies", "parts"], in: folder.path)
    #expect(parts.status == 0, "\(parts.output)\(parts.errors)")
    // ELECTRA and BERT exist already: three systems are trained, with two seeds each.
    let newLines = try log().dropFirst(before)
    #expect(newLines.matches(of: /seed \d: epoch 1:/).count == 6)
    #expect(parts.output.contains("### Parts of ELECTRA (Table 5)"))
    #expect(parts.output.matches(of: /\| \w.* ± .*\|\n/).count == 5)
    // Eight steps of ELECTRA have as many operations as nine of masked language modelling.
    #expect(parts.output.hasPrefix("electra: 8 steps\n"))
    #expect(parts.output.contains("\nmlm: 9 steps\n"), "\(parts.output)")
    let table = try folder.text("out/table.md")
    #expect(parts.output.hasSuffix(table))
    let study = try folder.text("out/study.json")
    #expect(study.contains(#""system": "mlm", "steps": 9, "operations": "#), "\(study)")
    #expect(parts.output.contains("over fine-tuning seeds; each system is pre-trained once."))
    // Options that do not fit the existing scores are refused, not ignored.
    let longer = try Program.script(
      "studies/pretraining-pays.py", small + ["--tasks", "cola:2"], in: folder.path)
    #expect(
      longer.status == 70 && longer.errors.contains("another fine-tuning"), "\(longer.errors)")
  }

  @Test
  func aStudyThatIsAskedToStopGoesOn() throws {
    let folder = try labels()
    func start(steps: Int) throws -> Program.Result {
      let options = Self.small + ["--steps", "\(steps)", "--seeds", "1"]
      return try Program.shell(
        """
        \(Program.awaitFunction)
        env --default-signal "$0" "$@" & script=$!
        await 'grep -qs "first step" out/electra/run/log.txt'
        kill -TERM $script
        wait $script
        """, ["\(Program.launch)/studies/pretraining-pays.py"] + options, in: folder.path)
    }
    let stopped = try start(steps: 1_000_000)
    #expect(stopped.status == 75, "\(stopped.output)\(stopped.errors)")
    #expect(stopped.output.contains("stopped as requested; the same command resumes"))
    let log = try folder.text("out/electra/run/log.txt")
    #expect(log.contains("stopped as requested after step"))
    // Options that do not fit the existing files are refused with the message of the program.
    let other = try Program.script(
      "studies/pretraining-pays.py", Self.small + ["--steps", "4", "--seeds", "1"], in: folder.path)
    #expect(other.status == 70 && other.errors.contains("electra: "), "\(other.errors)")
  }

  @Test(arguments: ["arithmetic", "exchange"])
  func roundingIsComparedSeedBySeed(study: String) throws {
    let folder = try labels()
    func start(seeds: Int) throws -> Program.Result {
      try Program.script(
        "studies/rounding.py",
        [
          "--studies", study,
          "--output", "out", "--text", "text.txt", "--vocabulary", "300", "--length", "32",
          "--batch", "8", "--warmup", "1", "--steps", "8", "--seeds", "\(seeds)",
        ], in: folder.path)
    }
    let first = try start(seeds: 1)
    #expect(first.status == 0, "\(first.output)\(first.errors)")
    func heldOutLoss(_ system: String) throws -> Double {
      let metrics = try folder.text("out/\(system)/run/metrics.jsonl")
      let line = try #require(metrics.split(separator: "\n").last { $0.contains("held_out") })
      let loss = try #require(line.firstMatch(of: /"generator_loss": ([\d.]+)/))
      return try #require(Double(loss.1))
    }
    // Finished runs are not repeated, and differences are those of the runs.
    let log = try folder.text("out/\(study)-bfloat16-1/log.txt")
    let second = try start(seeds: 2)
    #expect(second.status == 0, "\(second.output)\(second.errors)")
    let newLog = try folder.text("out/\(study)-bfloat16-1/log.txt").dropFirst(log.count)
    #expect(!newLog.contains("first step"), "\(newLog)")
    let losses = try ["float32-1", "float32-2", "bfloat16-1", "bfloat16-2"].map {
      try heldOutLoss("\(study)-\($0)")
    }
    let means = ((losses[0] + losses[1]) / 2, (losses[2] + losses[3]) / 2)
    let difference = String(format: "%+.3f %%", 100 * (means.1 / means.0 - 1))
    let row = try #require(
      second.output.split(separator: "\n").first { $0.hasPrefix("| MLM loss of the generator |") })
    #expect(row.contains("| \(difference) |"), "\(row)")
    #expect(losses[0] != losses[2], "both runs computed the same")
    #expect(second.output.matches(of: /\n\| [12] \|( [\d.]+ \|){6}/).count == 2)
    #expect(second.output.hasSuffix(try folder.text("out/\(study).md")))
  }

  @Test(arguments: [
    (["labels"], 64, "give the folder of labelled data and --output"),
    (["nowhere", "--output", "out"], 66, "there is no folder nowhere"),
    (
      ["labels", "--output", "out", "--steps", "many"], 64,
      "argument --steps: many is not a whole number"
    ),
    (["labels", "--output", "out", "--text", "none.txt"], 66, "there is no text none.txt"),
    (["labels", "--output", "out", "--studies", "size"], 64, "--studies knows parts"),
    (
      ["labels", "--output", "out", "--tasks", "rte", "--text", "text.txt", "--vocabulary", "300"],
      66, "labels has a training set for none of: rte"
    ),
  ])
  func whatAStudyCannotDoIsReportedInASentence(
    options: [String], status: Int32, sentence: String
  ) throws {
    let folder = try labels()
    let result = try Program.script("studies/ablations.py", options, in: folder.path)
    #expect(result.status == status && result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  @Test
  func aMissingProgramIsReported() throws {
    let folder = try labels()
    let result = try Program.shell(
      "exec \"$0\" labels --output out", ["\(Program.launch)/studies/ablations.py"],
      environment: ["ELECTRA_PROGRAM": "/nowhere"], in: folder.path)
    #expect(result.status == 66)
    #expect(
      result.errors.hasPrefix("ablations.py: there is no program /nowhere"), "\(result.errors)")
  }

  @Test
  func theTableOfGLUEHasTheScores() throws {
    let folder = try exportedModels()
    try writeLabels(folder)
    let options = [
      "labels/glue", "--from", "run", "--output", "all", "--seeds", "2", "--epochs", "1",
    ]
    let first = try Program.script("studies/finetune-glue.py", options, in: folder.path)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.hasPrefix("CoLA\n") && first.output.contains("ELECTRA-Base (released)"))
    let row = try #require(first.output.split(separator: "\n").last)
    #expect(row.wholeMatch(of: /this model +-?\d+\.\d( +-){9}/) != nil, "\(row)")
    // Finished seeds are not repeated; failed tasks are named after the table.
    #expect(try Program.script("studies/finetune-glue.py", options, in: folder.path).status == 0)
    let failed = try Program.script(
      "studies/finetune-glue.py", options + ["--learning-rate", "1"], in: folder.path)
    #expect(failed.status == 70 && failed.errors.contains("failed: CoLA"), "\(failed.errors)")
  }
}
