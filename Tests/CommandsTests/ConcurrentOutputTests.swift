import Foundation
import TestSupport
import Testing

/// Outputs that two jobs or several ranks write at the same time, or that a killed job leaves
/// behind.
@Suite(.serialized)
struct ConcurrentOutputTests {
  /// Starts `command` twice at once, `rounds` times, with new outputs each time.
  ///
  /// One job must succeed with the output of a single job, and the other must be refused.
  private func expectOneWinner(
    _ command: [String], rounds: Int = 4, in folder: TemporaryFolder
  ) throws {
    let result = try Program.shell(
      """
      mkdir alone race
      "$0" "$@" --output alone/output > /dev/null 2>&1 || echo alone failed
      for i in $(seq \(rounds)); do
        "$0" "$@" --output race/$i > /dev/null 2> first & first=$!
        "$0" "$@" --output race/$i > /dev/null 2> second & second=$!
        wait $first; one=$?
        wait $second; two=$?
        [ $((one + two)) -eq 73 ] || echo "status $one and $two: $(cat first second)"
        diff -r alone/output race/$i || echo "round $i"
      done
      ls race | grep partial
      rm -r alone race
      """, [Program.path] + command, in: folder.path)
    #expect(result.output.isEmpty, "\(command): \(result.output)")
  }

  @Test
  func ofTwoJobsThatMakeTheSameOutputOneWinsWhole() throws {
    let folder = try shortRun()
    let lines = madeText(documents: 12).split(separator: "\n")
    let table = zip(lines, lines.indices).map { "\($0)\t\($1 % 2)\n" }.joined()
    try folder.write("text\tlabel\n" + table, "table.tsv")
    let tuned = try Program.run(
      [
        "finetune", "own", "--from", "run", "--train", "table.tsv", "--dev", "table.tsv",
        "--epochs", "1", "--output", "tuned",
      ], in: folder.path)
    #expect(tuned.status == 0, "\(tuned.errors)")
    try folder.write(madeText(documents: 20), "few.txt")
    for command in [
      ["vocabulary", "few.txt", "--size", "150"],
      ["prepare", "few.txt", "--vocabulary", "vocab.txt", "--held-out", "0.2"],
      ["export", "--from", "run"], ["export", "--from", "tuned"], ["report", "run", "tuned"],
      ["predict", "--from", "tuned", "--dev", "table.tsv"],
    ] { try expectOneWinner(command, in: folder) }
  }

  /// A real SIGKILL at every write, flush and rename.
  @Test
  func aFolderThatIsKilledAnywhereIsWholeOrNotThere() throws {
    let folder = try shortRun()
    try folder.write(madeText(documents: 20), "few.txt")
    for command in [
      ["prepare", "few.txt", "--vocabulary", "vocab.txt", "--held-out", "0.2"],
      ["export", "--from", "run"],
    ] {
      let alone = try Program.run(command + ["--output", "alone"], in: folder.path)
      #expect(alone.status == 0, "\(alone.errors)")
      let whole = try folder.names("alone")
      var point = 0
      var status: Int32 = 0
      repeat {
        point += 1
        status = try Program.run(
          command + ["--output", "output"], environment: ["ELECTRA_KILL_AT": "\(point)"],
          in: folder.path
        ).status
        let names = try folder.names().filter { $0.hasPrefix("output") }
        // No remains of earlier kills are left.
        #expect(names.count == 1, "killed at \(point): \(names)")
        if names == ["output"] {
          #expect(try folder.names("output") == whole, "killed at \(point)")
          try FileManager.default.removeItem(atPath: folder.file("output"))
        }
      } while status != 0 && point < 100
      #expect(status == 0 && point > 8)
      try FileManager.default.removeItem(atPath: folder.file("alone"))
    }
  }

  @Test
  func underALauncherOneRankWorksAndAllEndWithItsStatus() throws {
    let folder = try preparedData(documents: 100)
    let command = [
      "prepare", "text.txt", "--vocabulary", "vocab.txt", "--held-out", "0.1", "--length", "32",
      "--output", "again",
    ]
    let made = try Program.run(command, ranks: 3, in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.split(separator: "\n").count { $0.hasPrefix("documents") } == 1)
    for name in try folder.names("data") {
      #expect(try folder.bytes("again/" + name) == folder.bytes("data/" + name))
    }
    let refused = try Program.run(command, ranks: 3, in: folder.path)
    #expect(refused.status == 73)
    #expect(refused.errors.components(separatedBy: "again exists").count == 2)
    let read = try Program.run(
      ["tokenize", "--vocabulary", "vocab.txt"], input: "ba ko\n", ranks: 2, in: folder.path)
    #expect(read.status == 0 && read.output.split(separator: "\n").count == 1, "\(read.errors)")
  }
}
