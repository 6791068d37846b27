import Foundation
import TestSupport
import Testing

/// Minimal pairs inside a run: `electra pretrain --evaluate-pairs`.
@Suite(.serialized)
struct EvaluatePairsTests {
  private static let pairs = ["--evaluate-pairs", "pairs.tsv"]

  /// The accuracies of a line of `timelessMetrics`, and the line without them.
  private static func split(_ line: String) -> (pairs: [Substring], rest: [Substring]) {
    let values = line.split(separator: " ")
    return (
      values.filter { $0.hasPrefix("pair_accuracy=") },
      values.filter { !$0.hasPrefix("pair_accuracy=") }
    )
  }

  /// Beside the accuracies in held-out lines, all bytes are equal, however the run was started.
  @Test(arguments: [[], ["--objective", "mlm"], InvarianceTests.bfloat16])
  func pairsChangeNoByteOfARun(options: [String]) throws {
    let folder = try InvarianceTests.folder()
    try folder.write(EvaluateTests.pairs(100), "pairs.tsv")
    let command = InvarianceTests.command + options
    func run(_ name: String, _ more: [String], ranks: Int? = nil, status: Int32 = 0) throws {
      let result = try Program.run(
        command + ["--output", name, "--threads", "1"] + more, ranks: ranks, in: folder.path)
      #expect(result.status == status, "\(name): \(result.errors)")
    }
    try run("without", [])
    try run("with", Self.pairs)
    try run("ranks", Self.pairs + ["--threads", "2"], ranks: 3)
    // Stopped after a step, resumed without pairs, and with them again.
    try run("resumed", Self.pairs + ["--hours", "0"], status: 75)
    try run("resumed", ["--hours", "0"], status: 75)
    try run("resumed", Self.pairs)
    let without = try InvarianceTests.Outcome(folder, "without")
    let accuracies = try folder.timelessMetrics("with").map { Self.split($0).pairs }
    for name in ["with", "ranks", "resumed"] {
      let outcome = try InvarianceTests.Outcome(folder, name)
      #expect(outcome.model == without.model && outcome.optimizer == without.optimizer)
      let lines = outcome.metrics.map(Self.split)
      #expect(lines.map(\.rest) == without.metrics.map { Self.split($0).rest })
      #expect(lines.count { !$0.pairs.isEmpty } == 2, "\(outcome.metrics)")
      #expect(lines.map(\.pairs) == accuracies)
    }
    #expect(try folder.text("with/config.json") == folder.text("without/config.json"))
  }

  /// The last accuracy of a run is that of `evaluate`, also where no examples are held out.
  @Test
  func aRunLogsTheAccuracyOfEvaluate() throws {
    let folder = try shortRun()
    try folder.write(EvaluateTests.pairs(200), "pairs.tsv")
    try runAll(
      [
        [
          "prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "all", "--length", "32",
          "--held-out", "0",
        ],
        [
          "pretrain", "--data", "all", "--output", "other", "--preset", "tiny", "--objective",
          "electra", "--batch", "8", "--steps", "4", "--evaluate-every", "2",
        ] + Self.pairs,
      ], in: folder)
    let evaluated = try Program.run(
      ["evaluate", "other", "--json", "--minimal-pairs", "pairs.tsv"], in: folder.path)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
    let lines = try folder.metrics("other").filter { $0["split"] as? String == "held_out" }
    #expect(lines.map { $0["step"] as? Int } == [2, 4] && lines[1]["loss"] == nil)
    #expect(lines[1]["pair_accuracy"] as? Double == object["accuracy"] as? Double)
    let log = try folder.text("other/log.txt")
    #expect(log.contains("held-out  pairs 0.") && log.contains("pairs: order 0 0."), "\(log)")
    try runAll([["report", "other", "--output", "page.html"]], in: folder)
    #expect(try folder.text("page.html").contains("aria-label=\"Minimal pairs\""))
  }

  @Test
  func pairsThatCannotBeUsedAreNamedBeforeTheRunIsMade() throws {
    let folder = try preparedData()
    try folder.write("a\tb\tc\n", "pairs.tsv")
    for ranks in [nil, 2] {
      let result = try Program.run(
        InvarianceTests.command.filter { $0 != "--config" && $0 != "odd.json" }
          + ["--output", "run", "--preset", "tiny", "--objective", "electra", "--length", "32"]
          + Self.pairs,
        ranks: ranks, in: folder.path)
      #expect(result.status == 65, "\(result.errors)")
      #expect(result.errors.contains("cannot use pairs.tsv: line 1 has 3 columns"))
      #expect(try !folder.names().contains("run"))
    }
  }

  /// The evaluation takes several times its deadline, which limits a round; a signal ends it with a
  /// checkpoint, and the next start does it.
  @Test
  func aLongEvaluationIsNoHangAndStopsWithACheckpoint() throws {
    let folder = try preparedData()
    try folder.write(EvaluateTests.pairs(60_000), "pairs.tsv")
    let result = try Program.shell(
      """
      \(Program.awaitFunction)
      . \(Program.launch)/environment.sh
      mpirun -q --timeout 300 -np 2 "$0" "$@" 2> errors.txt &
      job=$!
      await 'grep -qs section=evaluation run/heartbeats/rank-00001'
      sleep 4
      kill -USR1 $(grep -o 'process=[0-9]*' run/heartbeats/rank-00001 | cut -d= -f2)
      wait $job
      echo $?
      """,
      [Program.path] + [
        "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--length",
        "32", "--batch", "16", "--steps", "3", "--evaluate-every", "2", "--evaluate-examples", "20",
        "--output", "run", "--threads", "1", "--deadline", "evaluation=2",
      ] + Self.pairs, in: folder.path)
    let errors = try folder.text("errors.txt")
    #expect(result.output == "75\n", "\(errors)")
    let log = try folder.text("run/log.txt")
    #expect(log.contains("stopped as requested after step 2 of 3"), "\(log)")
    #expect(try folder.names("run/checkpoints").last == "step-00000002")
    try folder.write(EvaluateTests.pairs(60), "pairs.tsv")
    let resumed = try Program.run(
      [
        "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--length",
        "32", "--batch", "16", "--steps", "3", "--evaluate-every", "2", "--evaluate-examples", "20",
        "--output", "run",
      ] + Self.pairs, in: folder.path)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let lines = try folder.metrics("run").filter { $0["pair_accuracy"] != nil }
    #expect(lines.map { $0["step"] as? Int } == [2, 3])
  }
}
