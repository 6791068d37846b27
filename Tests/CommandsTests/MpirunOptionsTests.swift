import Foundation
import TestSupport
import Testing

/// Options of mpirun before the verb of electra, in `mpirun.sh` and `keep-going.sh`.
@Suite(.serialized)
struct MpirunOptionsTests {
  /// What a stand-in for mpirun is given, one argument per line, without the program's path.
  private func passed(_ script: String, _ options: [String]) throws -> Program.Result {
    let folder = try TemporaryFolder()
    try folder.write(
      "#!/bin/sh\nfor word; do [ \"$word\" = \"$ELECTRA_PROGRAM\" ] || printf '%s\\n' \"$word\"; done\n",
      "mpirun")
    return try Program.shell(
      "chmod +x mpirun; PATH=$PWD:$PATH exec \"$0\" \"$@\"",
      ["\(Program.launch)/\(script)"] + options + ["pretrain", "--data", "evaluate", "-n", "7"],
      in: folder.path)
  }

  private static let options: [([String], [String])] = [
    (["-n", "2", "-x", "PATH"], ["-np", "2", "-x", "PATH"]),
    (["--np", "02", "-x", "A=b c"], ["-np", "2", "-x", "A=b c"]),
    (
      ["--mca", "btl", "self,tcp", "--bind-to", "core", "-np", "3", "--map-by", "node"],
      ["-np", "3", "--mca", "btl", "self,tcp", "--bind-to", "core", "--map-by", "node"]
    ),
    (["--oversubscribe", "--host", "here:2"], ["--oversubscribe", "--host", "here:2"]),
    ([], []),
  ]

  @Test(arguments: options, ["mpirun.sh", "keep-going.sh"])
  func optionsOfMpirunArePassedOn(_ options: ([String], [String]), script: String) throws {
    let result = try passed(script, options.0)
    #expect(result.status == 0, "\(result.errors)")
    let words = options.1 + ["pretrain", "--data", "evaluate", "-n", "7"]
    #expect(result.output.split(separator: "\n").map(String.init) == words, "\(result.output)")
  }

  /// The real mpirun starts the ranks, with the variable, on this host.
  @Test
  func ranksHaveWhatTheOptionsAskFor() throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho \"$WORD of $OMPI_COMM_WORLD_SIZE\"\n", "program")
    let result = try Program.shell(
      "chmod +x program; exec \"$0\" -n 2 --host localhost:2 -x WORD=one pretrain",
      ["\(Program.launch)/mpirun.sh"], environment: ["ELECTRA_PROGRAM": folder.file("program")],
      in: folder.path)
    #expect(result.output == "one of 2\none of 2\n", "\(result.errors)")
    let unknown = try Program.shell(
      "exec \"$0\" --no-such-option pretrain", ["\(Program.launch)/mpirun.sh"],
      environment: ["ELECTRA_PROGRAM": folder.file("program")], in: folder.path)
    #expect(unknown.status != 0)
    #expect(unknown.errors.contains("--no-such-option"), "\(unknown.errors)")
  }

  /// Without a verb mpirun would take a value for the program.
  @Test(arguments: ["mpirun.sh", "keep-going.sh"])
  func aMissingVerbIsReported(script: String) throws {
    let folder = try TemporaryFolder()
    for options in [["-np", "2"], ["--bind-to", "core", "--data", "data"]] {
      let result = try Program.script(script, options, in: folder.path)
      #expect(result.status == 64)
      #expect(result.errors.contains("a verb of electra is missing"), "\(result.errors)")
    }
  }

  /// The scripts find the end of mpirun's options by the verbs.
  @Test
  func theScriptsKnowEveryVerb() throws {
    let folder = try TemporaryFolder()
    let known = try Program.shell(
      ". \"$0/environment.sh\"; echo $verbs", [Program.launch], in: folder.path)
    let help = try Program.run(["--help"], in: folder.path).output
    let list = try #require(help.range(of: "SUBCOMMANDS:"))
    let verbs = help[list.upperBound...].split(separator: "\n").compactMap { line in
      line.hasPrefix("  ") && !line.hasPrefix("   ") && !line.hasPrefix("  See ")
        ? line.split(separator: " ").first.map(String.init) : nil
    }
    #expect(verbs.count > 10)
    #expect(
      Set(known.output.split(whereSeparator: \.isWhitespace).map(String.init))
        == Set(verbs + ["help"]))
  }
}
