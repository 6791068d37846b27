import Foundation
import TestSupport
import Testing

/// `mpirun -np N electra prepare`: text that is distributed over ranks.
struct SharedPreparationTests {
  /// A folder with a vocabulary and text in files of several forms and sizes.
  private func folder() throws -> TemporaryFolder {
    try Fixtures.copy(of: "text for several ranks", make: makeFolder)
  }

  private func makeFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    // Several batches of eight blocks of a megabyte.
    try folder.write(String(repeating: madeText(documents: 300) + "\n", count: 120), "text/a.txt")
    let objects = madeText(documents: 40).components(separatedBy: "\n\n").map {
      "{\"text\": \"\($0.replacingOccurrences(of: "\n", with: "\\n"))\"}\n"
    }
    try folder.write(objects.joined(), "text/b.jsonl")
    for number in 0..<9 {
      try folder.write(madeText(documents: 10 + number), "text/few/\(number).txt")
    }
    try runAll([["vocabulary", "text", "--size", "300", "--output", "vocab.txt"]], in: folder)
    return folder
  }

  private func command(_ text: [String], _ output: String, _ more: [String] = []) -> [String] {
    ["prepare"] + text + ["--vocabulary", "vocab.txt", "--length", "32", "--output", output]
      + ["--held-out", "0.1"] + more
  }

  @Test
  func ranksDoNotChangeAByte() throws {
    let folder = try folder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: folder.file("text/a.txt"))
    let text = ["text", "link"]
    let alone = try Program.run(command(text, "1", ["--threads", "1"]), in: folder.path)
    #expect(alone.status == 0, "\(alone.errors)")
    #expect(alone.errors.contains("link: given more than once"), "\(alone.errors)")
    for ranks in [2, 3, 5] {
      let result = try Program.run(
        command(text, "\(ranks)", ["--threads", "1"]), ranks: ranks, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output == alone.output)
      #expect(result.errors.contains("link: given more than once"), "\(result.errors)")
      let names = try folder.names("1")
      #expect(try folder.names("\(ranks)") == names)
      for name in names {
        #expect(try folder.bytes("\(ranks)/\(name)") == folder.bytes("1/\(name)"), "\(name)")
      }
    }
  }

  /// Remarks of all ranks are merged: files without text, and the warnings of packed files.
  @Test
  func remarksOfAllRanksAreReported() throws {
    let folder = try folder()
    try folder.write("", "text/few/empty.txt")
    try folder.write("\n", "text/few/8b.txt")
    let skip = ["--invalid-text", "skip"]
    let packed = try Program.shell(
      "for i in 1 2; do (gzip -c text/few/$i.txt; echo garbage) > text/few/$i.gz; done", [],
      in: folder.path)
    #expect(packed.status == 0)
    let result = try Program.run(command(["text"], "data", skip), ranks: 3, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("text/few/1.gz and 1 more file"), "\(result.errors)")
    #expect(result.errors.contains("skipped 2 files without text"), "\(result.errors)")
  }

  @Test
  func anErrorOfOneRankEndsAllAndLeavesNothing() throws {
    let folder = try folder()
    try folder.write([0x61, 0x0A, 0xFF, 0x0A], "text/few/bad.txt")
    let before = try folder.names()
    let result = try Program.run(command(["text"], "data"), ranks: 3, in: folder.path)
    #expect(result.status == 65, "\(result.errors)")
    #expect(result.errors.contains("text/few/bad.txt, line 2"), "\(result.errors)")
    // Besides the error there may be a warning that ranks share cores.
    let lines = result.errors.split(separator: "\n").filter { !$0.contains("ranks share") }
    #expect(lines.count == 1, "\(result.errors)")
    #expect(try folder.names() == before)
  }

  @Test
  func whatCannotBeSharedIsRefused() throws {
    let folder = try folder()
    let input = try Program.run(
      command(["-"], "data"), input: "a b c\n", ranks: 2, in: folder.path)
    #expect(input.status == 64)
    #expect(
      input.errors.contains("standard input cannot be distributed over ranks"), "\(input.errors)")
    let existing = try Program.run(command(["text"], "text"), ranks: 2, in: folder.path)
    #expect(existing.status == 73 && existing.errors.contains("text exists"), "\(existing.errors)")
    #expect(try !folder.names().contains("data"))
  }

  /// Ranks on different hosts may have other files or another vocabulary under the same names.
  @Test
  func ranksWithOtherFilesAreRefused() throws {
    let folder = try folder()
    for (change, says) in [
      ("echo more >> $OMPI_COMM_WORLD_RANK/text/few/3.txt", "has another text file 6 than rank 0"),
      ("[ $OMPI_COMM_WORLD_RANK = 0 ] || rm 1/text/b.jsonl", "another number of text files"),
      ("[ $OMPI_COMM_WORLD_RANK = 0 ] || echo word >> 1/vocab.txt", "has another vocabulary"),
    ] {
      let result = try Program.shell(
        """
        . \(Program.launch)/environment.sh
        rm -rf 0 1 && for i in 0 1; do mkdir $i && cp -r text vocab.txt $i; done
        mpirun -q --timeout 300 -np 2 bash -c \
          '[ $OMPI_COMM_WORLD_RANK = 0 ] || { \(change); }; cd $OMPI_COMM_WORLD_RANK; exec "$0" "$@"' \
          "$0" "$@"
        """, [Program.path] + command(["text"], "data"), in: folder.path)
      #expect(result.status != 0 && result.errors.contains(says), "\(result.errors)")
      #expect(try !folder.names("0").contains("data"))
    }
  }

  /// Rank zero is killed while it writes; the next start removes what it left.
  @Test
  func aKilledRankLeavesNoFolder() throws {
    let folder = try folder()
    let killed = try Program.run(
      command(["text"], "data"), environment: ["ELECTRA_KILL_AT": "3"], ranks: 2, in: folder.path)
    #expect(killed.status != 0)
    #expect(try !folder.names().contains("data"))
    for ranks in [3, nil] {
      let again = try Program.run(command(["text"], "data"), ranks: ranks, in: folder.path)
      #expect(again.status == 0, "\(again.errors)")
      #expect(try folder.names().filter { $0.hasPrefix("data") } == ["data"])
      try FileManager.default.moveItem(
        atPath: folder.file("data"), toPath: folder.file("kept\(ranks ?? 1)"))
    }
    #expect(try folder.bytes("kept1/data.json") == folder.bytes("kept3/data.json"))
  }
}
