import Foundation
import TestSupport
import Testing
import Training

private let canEmulateCluster =
  getuid() == 0 && ["/sbin/ip", "/sbin/tc"].allSatisfy(FileManager.default.fileExists)

/// Several hosts, emulated on this machine, with separate names and addresses and real TCP between
/// them.
@Suite(
  .serialized,
  .enabled(if: canEmulateCluster, "network namespaces need root and the command ip"))
struct ClusterTests {
  /// Starts `hosts` emulated hosts, runs `body`, and always stops them.
  private func withCluster(
    _ hosts: Int, _ more: [String] = [], in folder: TemporaryFolder, _ body: () throws -> Void
  ) throws {
    // The hosts of the Slurm tests can exist at the same time.
    let spaces = "ip netns list | grep -v electra-slurm | sort"
    let before = try Program.shell(spaces, in: folder.path).output
    let up = try Program.script("lab/cluster.sh", ["up", "\(hosts)"] + more, in: folder.path)
    try #require(up.status == 0, "\(up.errors)")
    defer {
      let down = try? Program.script("lab/cluster.sh", ["down"], in: folder.path)
      #expect(down?.status == 0)
      let left = try? Program.shell(spaces, in: folder.path)
      #expect(left?.output == before, "nothing stays behind")
    }
    try body()
  }

  @Test
  func ranksOnSeveralHostsGiveTheSameBytes() throws {
    let folder = try InvarianceTests.folder()
    let whole = try Program.run(
      InvarianceTests.command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    try withCluster(3, ["--rate", "1gbit"], in: folder) {
      let names = try Program.script("lab/cluster.sh", ["run", "4", "hostname"], in: folder.path)
      #expect(names.output.split(separator: "\n").sorted() == ["n1", "n2", "n3", "n3"])
      for ranks in [2, 3, 4] {
        let result = try Program.script(
          "lab/cluster.sh",
          ["run", "\(ranks)", Program.path] + InvarianceTests.command
            + ["--output", "over-\(ranks)", "--threads", "1"], in: folder.path)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
          try InvarianceTests.Outcome(folder, "over-\(ranks)")
            == InvarianceTests.Outcome(folder, "whole"))
      }
    }
  }

  /// Two hosts of two ranks, which add the sums of their host first.
  @Test(arguments: [[], InvarianceTests.bfloat16 + InvarianceTests.exchange])
  func ranksThatShareHostsGiveTheSameBytes(options: [String]) throws {
    let folder = try InvarianceTests.folder()
    let command = InvarianceTests.command + options
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    try withCluster(2, in: folder) {
      let names = try Program.script("lab/cluster.sh", ["run", "4", "hostname"], in: folder.path)
      #expect(names.output.split(separator: "\n").sorted() == ["n1", "n1", "n2", "n2"])
      let result = try Program.script(
        "lab/cluster.sh",
        ["run", "4", Program.path] + command + ["--output", "shared", "--threads", "1"],
        in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        try folder.text("shared/log.txt").contains(
          "the 2 ranks of each host add their gradients first"))
      #expect(
        try InvarianceTests.Outcome(folder, "shared") == InvarianceTests.Outcome(folder, "whole"))
    }
  }

  @Test(arguments: ["many", "0", "100"])
  func aWrongNumberOfHostsIsRefused(hosts: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.script("lab/cluster.sh", ["up", hosts], in: folder.path)
    #expect(result.status == 1)
    #expect(
      result.errors.contains("up takes a number of hosts from 1 to 99, not \(hosts)"),
      "\(result.errors)")
  }

  /// A host is lost during a run: the job ends, and the remaining hosts resume it.
  ///
  /// mpirun loses the connection 6 to 10 seconds after the cut. With a short deadline the watchdog
  /// ends the job before that, with a long one mpirun does.
  @Test(arguments: [
    ("step=3", 76, "check the network between n1, n2, n3"), ("step=60", 205, "lost: host n3;"),
  ])
  func aCutHostIsLeftOutAndTheRunGoesOn(deadline: String, status: Int, cause: String) throws {
    let folder = try InvarianceTests.folder()
    let command =
      InvarianceTests.command + [
        "--steps", "400", "--save-every", "20", "--log-every", "100", "--evaluate-every", "400",
        "--deadline", deadline, "--deadline", "start=30", "--threads", "1",
      ]
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    try folder.write("n1 slots=1\nn2 slots=1\nn3 slots=1\n", "hosts")
    try withCluster(3, in: folder) {
      let result = try Program.shell(
        """
        \(Program.awaitCheckpointFunction)
        timeout 100 "$0" host n1 \(Program.launch)/keep-going.sh --hosts hosts "$@" &
        job=$!
        awaitCheckpoint
        "$0" cut n3
        wait $job; status=$?
        # Open MPI's daemon on the cut host may wait minutes for its connection, with our pipes open.
        for process in $(ip netns pids electra-n3); do kill -9 $process; done
        exit $status
        """, ["\(Program.launch)/lab/cluster.sh"] + command + ["--output", "run"], in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.errors.contains(cause), "\(result.errors)")
      #expect(result.errors.contains("restarting after status \(status)"), "\(result.errors)")
      #expect(result.errors.contains("n3 does not answer and is left out"))
    }
    #expect(
      try InvarianceTests.Outcome(folder, "run", steps: 400)
        == InvarianceTests.Outcome(folder, "whole", steps: 400))
  }
}
