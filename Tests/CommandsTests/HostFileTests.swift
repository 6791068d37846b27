import Collectives
import Foundation
import Platform
import TestSupport
import Testing

/// Host files are read as intended or refused with the line; messages of mpirun are shown if no
/// rank has a message.
@Suite(.serialized)
struct HostFileTests {
  /// Runs a launch script on a host file with these lines.
  ///
  /// The remote shell reaches only this host, unless `environment` names another one.
  private func launch(
    _ script: String = "mpirun.sh", _ hosts: String?, _ options: [String] = [],
    environment: [String: String] = [:]
  ) throws -> Program.Result {
    let folder = try TemporaryFolder()
    if let hosts { try folder.write(hosts, "hosts") }
    return try Program.shell(
      "exec \"$0\" \"$@\"",
      ["\(Program.launch)/\(script)"] + options + ["--hosts", "hosts", "pretrain"],
      environment: ["OMPI_MCA_plm_rsh_agent": "false"].merging(environment) { $1 },
      in: folder.path)
  }

  private static let refused: [(String?, [String], Int32, String)] = [
    (nil, [], 66, "there is no host file hosts"),
    ("# none\n\n", [], 65, "hosts names no host"),
    ("here slots=2\nn2\nhere\n", [], 65, "hosts names here in line 1 and again in line 3; give"),
    ("localhost\n127.0.0.1\n", [], 65, "in line 1 and again in line 2, as 127.0.0.1; give it"),
    ("n1 slots=two\n", [], 65, "hosts, line 1: slots=two is not a number of ranks"),
    ("n1\n\nn2 slots=\n", [], 65, "hosts, line 3: slots= is not a number of ranks"),
    ("n1 slots=0\n", [], 65, "hosts, line 1: n1 has no slots; remove the line"),
    ("n1:two\n", [], 65, "hosts, line 1: n1:two: two is not a number of ranks"),
    ("n1 slots=4 max_slots=2\n", [], 65, "hosts, line 1: max_slots=2 is less than slots=4"),
    ("n1 4\n", [], 65, "hosts, line 1: unknown setting 4; a host has slots=N"),
    ("n1,n2\n", [], 65, "hosts, line 1: n1,n2 is not a host name"),
    ("n1 slots=1\rn2 slots=1\r", [], 65, "hosts, line 1: "),
    ("localhost slots=2\n", ["-np", "3"], 64, "-np asks for 3 ranks but hosts has only 2 slots"),
    ("localhost\n", ["-np", "0"], 64, "-np needs a number of ranks above 0, not 0"),
    ("localhost\n", ["-np", "two"], 64, "-np needs a number of ranks above 0, not two"),
    ("localhost\n", ["pretrian"], 64, "pretrian is neither a verb of electra nor the value of"),
    ("localhost\n", ["-np"], 64, "-np needs a number of ranks above 0, not --hosts"),
    (
      "localhost slots=2\nnowhere.invalid\n", [], 69,
      "nowhere.invalid (line 2 of hosts) does not answer; rank 2 would run there"
    ),
  ]

  @Test(arguments: refused)
  func aHostFileThatCannotServeIsRefused(
    hosts: String?, options: [String], status: Int32, sentence: String
  ) throws {
    for script in ["mpirun.sh", "keep-going.sh"] {
      // keep-going.sh leaves out missing hosts and slots.
      let isLeftOut = options.last == "3" || status == 69
      if script == "keep-going.sh" && isLeftOut { continue }
      let result = try launch(script, hosts, options)
      #expect(result.status == status, "\(result.errors)")
      #expect(result.errors.contains(sentence), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
    }
  }

  /// mpirun itself would start a rank per core on a host without slots, stop at CR line ends, and
  /// count a repeated host twice.
  private static let read: [(String, String)] = [
    ("n1  # first\n\nn2 slots=2\n", "n1 slots=1\nn2 slots=2\n"),
    ("n1 slots=1\r\nn2 slots=1\r\n", "n1 slots=1\nn2 slots=1\n"),
    ("\tn1\tslots = 2\t\n n2 slots= 03 max-slots =4", "n1 slots=2\nn2 slots=3\n"),
    ("n1:2\nn2:1\nn3\n", "n1 slots=2\nn2 slots=1\nn3 slots=1\n"),
    ("\u{FEFF}n1 max_slots=4\n", "n1 slots=1\n"),
    ("fd00::7:1 slots=2\n", "fd00::7:1 slots=2\n"),
    ("localhost slots=2\n", "\(hostName()) slots=2\n"),
    ("127.0.0.1:2\n", "\(hostName()) slots=2\n"),
  ]

  @Test(arguments: read)
  func hostFilesOfAllKindsAreRead(hosts: String, read: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(hosts, "hosts")
    try folder.write(
      Program.mpirunThatPrintsItsHosts, "mpirun")
    for script in ["mpirun.sh", "keep-going.sh"] {
      let result = try Program.shell(
        "chmod +x mpirun; PATH=$PWD:$PATH exec \"$0\" --hosts hosts pretrain",
        ["\(Program.launch)/\(script)"], environment: ["OMPI_MCA_plm_rsh_agent": "true"],
        in: folder.path)
      #expect(result.output == read, "\(result.errors)")
    }
  }

  @Test
  func aHostFileMayHaveAnEqualsSignInItsName() throws {
    let folder = try TemporaryFolder()
    try folder.write("n1 slots=2\n", "nodes=1/hosts")
    try folder.write(Program.mpirunThatPrintsItsHosts, "mpirun")
    let result = try Program.shell(
      "chmod +x mpirun; PATH=$PWD:$PATH exec \"$0\" --hosts nodes=1/hosts pretrain",
      ["\(Program.launch)/mpirun.sh"], environment: ["OMPI_MCA_plm_rsh_agent": "true"],
      in: folder.path)
    #expect(result.output == "n1 slots=2\n", "\(result.errors)")
  }

  @Test
  func aJobThatCannotStartIsNotTriedAgain() throws {
    let silent = try launch("keep-going.sh", "nowhere.invalid\n")
    #expect(silent.status == 69)
    #expect(silent.errors.hasSuffix("keep-going: no host of hosts answers\n"), "\(silent.errors)")
    for script in ["mpirun.sh", "keep-going.sh"] {
      let missing = try launch(script, "localhost\n", environment: ["ELECTRA_PROGRAM": "/nowhere"])
      #expect(missing.status == 66)
      #expect(
        missing.errors.contains("there is no program /nowhere; build it"), "\(missing.errors)")
    }
  }

  /// The job is done; only its output is lost.
  @Test
  func aFinishedJobIsNotStartedAgainForItsOutput() throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho result\n", "mpirun")
    let result = try Program.shell(
      "chmod +x mpirun; PATH=$PWD:$PATH exec \"$0\" -np 1 pretrain >/dev/full",
      ["\(Program.launch)/keep-going.sh"], in: folder.path)
    #expect(result.status == 74, "\(result.errors)")
    #expect(result.errors == "mpirun.sh: cannot write to standard output\n", "\(result.errors)")
  }

  /// The standard error of a program with these lines under mpirun.sh.
  private func errors(of program: String) throws -> Program.Result {
    let folder = try TemporaryFolder()
    try folder.write(program, "program")
    return try Program.shell(
      "chmod +x program; exec \"$0\" -np 2 pretrain --output run", ["\(Program.launch)/mpirun.sh"],
      environment: ["ELECTRA_PROGRAM": folder.file("program")], in: folder.path)
  }

  @Test
  func messagesOfMpirunAreShownWhereTheProgramHasNone() throws {
    let broken = try errors(of: "this is no program\n")
    #expect(broken.status != 0)
    #expect(broken.errors.contains("Exec format error"), "\(broken.errors)")
    #expect(broken.errors.contains("before electra started"))
    let killed = try errors(of: "#!/bin/sh\nkill -9 $$\n")
    #expect(killed.status == 137)
    #expect(killed.errors.contains("before electra started"), "\(killed.errors)")
    // With more heartbeats than a pipe holds, one is still found.
    let many = try errors(
      of: """
        #!/bin/sh
        mkdir -p run/heartbeats
        seq -f run/heartbeats/rank-%g 3000 | xargs touch
        kill -9 $$
        """)
    #expect(many.errors.contains("the job ended with status 137"), "\(many.errors)")
    let refused = try errors(of: "#!/bin/sh\necho 'electra: no' >&2\nexit 65\n")
    #expect(refused.status == 65)
    #expect(Set(refused.errors.split(separator: "\n")) == ["electra: no"], "\(refused.errors)")
  }
}
