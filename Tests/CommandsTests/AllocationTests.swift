import Collectives
import Foundation
import Platform
import TestSupport
import Testing

/// `mpirun.sh` and `keep-going.sh` inside allocations of PBS and LSF, with files of their form.
@Suite(.serialized)
struct AllocationTests {
  /// Starts a script with these variables beside a file `nodes`; mpirun is a stand-in.
  private func launch(
    _ script: String, _ variables: [String: String], nodes: String?, _ options: [String] = []
  ) throws -> Program.Result {
    let folder = try TemporaryFolder()
    if let nodes { try folder.write(nodes, "nodes") }
    try folder.write(Program.mpirunThatPrintsItsHosts, "mpirun")
    return try Program.shell(
      "chmod +x mpirun; PATH=$PWD:$PATH exec \"$0\" \"$@\"",
      ["\(Program.launch)/\(script)"] + options + ["pretrain"],
      environment: ["OMPI_MCA_plm_rsh_agent": "true"].merging(variables) { $1 }, in: folder.path)
  }

  private static let files = [["PBS_NODEFILE": "nodes"], ["LSB_DJOB_HOSTFILE": "nodes"]]

  private static let read: [(String, String)] = [
    ("n1\nn1\nn2\nn2\n", "n1 slots=2\nn2 slots=2\n"),
    // PBS may repeat hosts in turn.
    ("n1.cluster\nn2.cluster\nn1.cluster\n", "n1.cluster slots=2\nn2.cluster slots=1\n"),
    ("\u{FEFF}n1\r\nn2\r\n\r\nn2\r\n", "n1 slots=1\nn2 slots=2\n"),
    ("n2\n\(hostName())\nlocalhost\n127.0.0.1\n", "n2 slots=1\n\(hostName()) slots=3\n"),
  ]

  @Test(arguments: files, read)
  func eachLineOfANodeFileIsASlot(variables: [String: String], file: (String, String)) throws {
    for script in ["mpirun.sh", "keep-going.sh"] {
      let result = try launch(script, variables, nodes: file.0)
      #expect(result.output == file.1, "\(result.errors)")
    }
  }

  /// The lines of `mpirun.sh` on two nodes, for which the allocation is not used.
  @Test
  func hostsThatAreGivenReplaceTheAllocation() throws {
    let folder = try TemporaryFolder()
    try folder.write("n1\nn1\n", "nodes")
    try folder.write("n2\n", "hosts")
    try folder.write("#!/bin/sh\necho \"$*\"; cat \"$2\"\n", "mpirun")
    let start = "chmod +x mpirun; PATH=$PWD:$PATH PBS_NODEFILE=nodes exec \"$0\""
    let script = "\(Program.launch)/mpirun.sh"
    let agent = ["OMPI_MCA_plm_rsh_agent": "true"]
    let file = try Program.shell(
      start + " --hosts hosts pretrain", [script], environment: agent, in: folder.path)
    #expect(file.output.hasSuffix("n2 slots=1\n"), "\(file.output) \(file.errors)")
    let list = try Program.shell(
      start + " --host n3:4 pretrain", [script], environment: agent, in: folder.path)
    #expect(list.output.hasPrefix("--host n3:4 /"), "\(list.output) \(list.errors)")
  }

  @Test
  func lsfWithoutAFileNamesHostsInAVariable() throws {
    for script in ["mpirun.sh", "keep-going.sh"] {
      let result = try launch(script, ["LSB_MCPU_HOSTS": "n1 4 n2 2"], nodes: nil)
      #expect(result.output == "n1 slots=4\nn2 slots=2\n", "\(result.errors)")
      let both = try launch(
        script, ["LSB_MCPU_HOSTS": "n1 4", "LSB_DJOB_HOSTFILE": "nodes"], nodes: "n1\n")
      #expect(both.output == "n1 slots=1\n", "\(both.errors)")
    }
  }

  private static let refused: [([String: String], String?, Int32, String)] = [
    (files[0], nil, 66, "there is no host file nodes"),
    (files[0], "\n", 65, "nodes names no host"),
    (files[0], "n1\nn 2\n", 65, "nodes, line 2: unknown setting 2; a host has slots=N"),
    (files[1], "n1\nn2\nn1,n2\n", 65, "nodes, line 3: n1,n2 is not a host name"),
    (
      ["LSB_MCPU_HOSTS": "n1 4 n2"], nil, 65,
      "LSB_MCPU_HOSTS, line 2: slots= is not a number of ranks"
    ),
    (["LSB_MCPU_HOSTS": "4 n1"], nil, 65, "LSB_MCPU_HOSTS, line 1: slots=n1 is not a number"),
  ]

  @Test(arguments: refused)
  func anAllocationThatCannotBeReadIsRefused(
    variables: [String: String], nodes: String?, status: Int32, sentence: String
  ) throws {
    for script in ["mpirun.sh", "keep-going.sh"] {
      let result = try launch(script, variables, nodes: nodes)
      #expect(result.status == status)
      #expect(result.errors.contains(sentence), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
  }

  @Test
  func moreRanksThanSlotsAreRefused() throws {
    let result = try launch(
      "mpirun.sh", ["PBS_NODEFILE": "nodes"], nodes: "n1\nn2\n", ["-np", "3"])
    #expect(result.status == 64)
    #expect(
      result.errors.contains("-np asks for 3 ranks but nodes has only 2 slots: rank 2 does not"),
      "\(result.errors)")
  }

  @Test(arguments: files)
  func scalingIsMeasuredOnTheHostsOfTheJob(variables: [String: String]) throws {
    let folder = try TemporaryFolder()
    try folder.write("n1\nn2\n", "nodes")
    let result = try Program.shell(
      "exec \"$0\" --ranks 4", ["\(Program.launch)/scaling/weak-scaling.sh"],
      environment: variables, in: folder.path)
    #expect(result.status == 64)
    #expect(
      result.errors == "scaling: 4 ranks do not fit: there are 2 slots or tasks\n",
      "\(result.errors)")
  }

  /// A host answers if the remote shell of PBS or LSF reaches it, and mpirun is given this shell.
  @Test(arguments: [("PBS_NODEFILE", "pbs_tmrsh"), ("LSB_DJOB_HOSTFILE", "blaunch")])
  func theRemoteShellIsThatOfTheScheduler(variable: String, shell: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("n1\n", "nodes")
    try folder.write("#!/bin/sh\necho \"$0 $*\" >> calls\n", shell)
    try folder.write("#!/bin/sh\necho \"$OMPI_MCA_plm_rsh_agent\"\n", "mpirun")
    let result = try Program.shell(
      "chmod +x mpirun \(shell); PATH=$PWD:$PATH \(variable)=nodes \"$0\" pretrain; cat calls",
      ["\(Program.launch)/mpirun.sh"], in: folder.path)
    #expect(
      result.output == "\(shell)\n\(folder.file(shell)) n1 true\n",
      "\(result.output) \(result.errors)")
  }

  /// The same for the hosts of a host file.
  @Test
  func theRemoteShellOfTheSchedulerReachesNamedHosts() throws {
    let folder = try TemporaryFolder()
    try folder.write("n1\n", "nodes")
    try folder.write("n2\n", "hosts")
    try folder.write("#!/bin/sh\n[ \"$1\" = n1 ]\n", "pbs_tmrsh")
    func errors(_ options: String) throws -> String {
      try Program.shell(
        "chmod +x pbs_tmrsh; PATH=$PWD:$PATH PBS_NODEFILE=nodes \"$0\" \(options) pretrain",
        ["\(Program.launch)/mpirun.sh"], in: folder.path
      ).errors
    }
    let named = try errors("--hosts hosts")
    #expect(
      named.contains("'pbs_tmrsh n2 true' works without a password, or remove the host\n"),
      "\(named)")
    try folder.write("n2\n", "nodes")
    let allocated = try errors("")
    #expect(
      allocated.contains("'pbs_tmrsh n2 true' works without a password\n"), "\(allocated)")
  }
}
