import Foundation
import Tensors
import TestSupport
import Testing

/// `electra evaluate`: on prepared data, on text, and on minimal pairs.
struct EvaluateTests {
  /// Pairs of lines of generated text and the same lines with two words exchanged.
  static func pairs(_ count: Int) -> String {
    let lines = madeText(documents: 200).split(separator: "\n").map(String.init)
    return "good\tbad\tphenomenon\n"
      + (0..<count).map { (number: Int) -> String in
        let good = lines[number % lines.count]
        var words = good.dropLast().split(separator: " ")
        words.swapAt(1 + number / lines.count % 3, 4)
        let bad = words.joined(separator: " ") + (number % 2 == 0 ? "." : " .")
        return "\(good)\t\(bad == good ? bad + " ba" : bad)\torder \(number % 2)\n"
      }.joined()
  }

  private static func evaluate(
    _ arguments: [String], ranks: Int? = nil, in folder: TemporaryFolder
  ) throws -> String {
    let result = try Program.run(["evaluate"] + arguments, ranks: ranks, in: folder.path)
    #expect(result.status == 0, "\(arguments): \(result.errors)")
    return result.output
  }

  /// The objective decides how sentences are scored.
  @Test(arguments: [
    ("electra", "replaced token detection"), ("mlm", "pseudo-log-likelihood"),
  ])
  func ranksAndThreadsDoNotChangeTheAccuracy(objective: String, score: String) throws {
    let folder = try shortRun()
    try folder.write(Self.pairs(300), "pairs.tsv")
    try runAll(
      [
        ["pretrain"] + smallModel + [
          "--data", "data", "--output", "model", "--batch", "8", "--steps", "2", "--objective",
          objective,
        ]
      ], in: folder)
    let command = ["model", "--minimal-pairs", "pairs.tsv", "--json", "--threads"]
    let alone = try Self.evaluate(command + ["1"], in: folder)
    #expect(alone.hasPrefix("{\"accuracy\":0.") && alone.contains("\"score\":\"\(score)\""))
    #expect(alone.contains("\"pairs\":300,") && alone.contains("\"phenomenon\":\"order 1\""))
    for (ranks, threads) in [(nil, "3"), (2, "1"), (3, "2")] as [(Int?, String)] {
      #expect(try Self.evaluate(command + [threads], ranks: ranks, in: folder) == alone)
    }
    let table = try Self.evaluate(["model", "--minimal-pairs", "pairs.tsv"], in: folder)
    #expect(table.hasPrefix("step 2, scored by \(score)\n  order 0   "), "\(table)")
    #expect(table.split(separator: "\n").last?.hasSuffix("  of 300 pairs") == true, "\(table)")
  }

  /// The first documents of a text are held out and the next one is not; so text and held-out split
  /// have the same documents with the same numbers.
  @Test
  func metricsOfATextAreThoseOfPreparedData() throws {
    let folder = try shortRun()
    let fraction = 0.93
    let first = try #require(
      (0..<400).first { number in
        var chance = SplitMix(seed: 1 + 77, stream: UInt64(number))
        return !chance.chance(fraction)
      })
    try #require(first > 2, "no document is held out")
    let documents = madeText(documents: first + 1).components(separatedBy: "\n\n")
    try folder.write(documents.joined(separator: "\n\n"), "all.txt")
    try folder.write(documents.dropLast().joined(separator: "\n\n") + "\n", "text/some.txt")
    try runAll(
      [
        [
          "prepare", "all.txt", "--vocabulary", "vocab.txt", "--output", "held", "--length", "32",
          "--held-out", "\(fraction)",
        ]
      ], in: folder)
    for count in ["2048", "5"] {
      let options = ["--json", "--evaluate-examples", count]
      let prepared = try Self.evaluate(["run", "--data", "held"] + options, in: folder)
      #expect(prepared.contains("\"examples\": "))
      #expect(prepared.contains("\"examples\": 5,") == (count == "5"), "\(prepared)")
      for ranks in [nil, 2] {
        let text = try Self.evaluate(["run", "--text", "text"] + options, ranks: ranks, in: folder)
        #expect(text == prepared)
      }
    }
  }

  /// A generator of uniformly random tokens has no network, and needs no data either.
  @Test
  func replacementsByTheFrequenciesOfTheDataNeedTheData() throws {
    let folder = try preparedData(documents: 100)
    for generator in ["unigram", "uniform"] {
      try runAll(
        [
          ["pretrain"] + smallModel + [
            "--data", "data", "--output", generator, "--batch", "8", "--steps", "2", "--generator",
            generator,
          ]
        ], in: folder)
    }
    #expect(try Self.evaluate(["uniform", "--text", "text.txt"], in: folder).contains("skill"))
    let refused = try Program.run(["evaluate", "unigram", "--text", "text.txt"], in: folder.path)
    #expect(refused.status == 64 && refused.errors.contains("give --data"), "\(refused.errors)")
  }

  @Test(arguments: [
    ([] as [String], 64, "give one of --data, --text and --minimal-pairs"),
    (["--data", "data", "--text", "text.txt"], 64, "give one of"),
    (["--text", "none.txt"], 66, "none.txt: there is no such file or folder"),
    (["--text", "empty.txt"], 65, "there is no text in empty.txt"),
    (["--minimal-pairs", "none.tsv"], 66, "none.tsv"),
    (["--minimal-pairs", "long.tsv", "--evaluate-examples", "9"], 64, "needs --data or --text"),
    (["--minimal-pairs", "empty.txt"], 65, "cannot use empty.txt: it has no pairs"),
    (["--minimal-pairs", "long.tsv"], 65, "line 1 has a sentence of "),
  ])
  func whatCannotBeEvaluatedIsNamed(options: [String], status: Int32, reason: String) throws {
    let folder = try shortRun()
    try folder.write("", "empty.txt")
    try folder.write("ba\t" + String(repeating: "ba ko ", count: 200), "long.tsv")
    let rankCounts: [Int?] = options.isEmpty ? [nil] : [nil, 2]
    for ranks in rankCounts {
      let result = try Program.run(["evaluate", "run"] + options, ranks: ranks, in: folder.path)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(reason) && result.output.isEmpty, "\(result.errors)")
      #expect(!result.errors.contains("--invalid-text"), "\(result.errors)")
    }
  }

  /// Rank 0 stops the others; there is no result.
  @Test(
    arguments: [1, 2],
    [
      "--minimal-pairs pairs.tsv",
      "--data long --samples unigram --evaluate-examples 1000000",
    ])
  func aLongEvaluationStopsWhenAsked(ranks: Int, options: String) throws {
    let folder = try Fixtures.copy(of: "long evaluations") {
      let folder = try preparedData(documents: 100)
      try folder.write(Self.pairs(60_000), "pairs.tsv")
      try folder.write(String(repeating: madeText(documents: 1000) + "\n", count: 40), "long.txt")
      try runAll(
        [
          [
            "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--objective",
            "electra", "--batch", "8", "--steps", "5",
          ],
          [
            "prepare", "long.txt", "--vocabulary", "vocab.txt", "--output", "long", "--length",
            "32", "--held-out", "0.9",
          ],
        ], in: folder)
      return folder
    }
    let result = try Program.shell(
      """
      \(Program.awaitFunction)
      . \(Program.launch)/environment.sh
      set -- evaluate run \(options)
      mpirun -q --timeout 300 -np \(ranks) "$0" "$@" 2> errors.txt &
      job=$!
      firstRank() { pgrep -P $job -x electra | head -n 1; }
      # Before the program handles SIGUSR1 (bit 9 of SigCgt), the signal would kill it.
      await 'grep -qs "^SigCgt:.*[2367abef]..$" /proc/$(firstRank)/status'
      # The evaluation has begun then, and takes longer.
      sleep 3
      kill -USR1 $(firstRank)
      wait $job
      echo $?
      """, [Program.path], in: folder.path)
    let errors = try folder.text("errors.txt")
    #expect(result.output == "75\n", "\(errors)")
    #expect(errors.contains("electra: stopped as requested"), "\(errors)")
  }

  /// A Slurm job ignores SIGUSR1 for `evaluate`, the warning before the time limit.
  @Test
  func anIgnoredSignalDoesNotStopAnEvaluation() throws {
    let folder = try shortRun()
    try folder.write(Self.pairs(10_000), "pairs.tsv")
    let result = try Program.shell(
      """
      trap '' USR1
      "$0" evaluate run --minimal-pairs pairs.tsv 2> errors.txt &
      job=$!
      while kill -USR1 $job 2>/dev/null; do sleep 0.2; done
      wait $job
      echo $?
      """, [Program.path], in: folder.path)
    let errors = try folder.text("errors.txt")
    #expect(result.output.hasSuffix(" pairs\n0\n"), "\(result.output)\(errors)")
  }

  @Test
  func thePairsOfTheRepositoryAreThoseOfTheirScript() throws {
    let folder = try TemporaryFolder()
    let made = try Program.script("pairs/make-pairs.py", [], in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    let shipped = try String(
      contentsOfFile: Program.launch + "/pairs/english.tsv", encoding: .utf8)
    #expect(made.output == shipped)
    let rows = shipped.split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
    #expect(rows.count == 500 && rows.allSatisfy { $0.count == 3 })
    let counts = Dictionary(grouping: rows) { $0[0] }.mapValues(\.count)
    #expect(counts.count == 10 && counts.values.allSatisfy { $0 == 50 })
  }
}
