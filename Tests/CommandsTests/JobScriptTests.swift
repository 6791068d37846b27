import Foundation
import TestSupport
import Testing

/// The Slurm job script, with stand-ins for Slurm's commands: srun writes down what it was told and
/// ends as the test wants.
struct JobScriptTests {
  /// Two nodes of two cores.
  private static let twoNodes = [
    "SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_JOB_CPUS_PER_NODE": "2(x2)",
  ]

  /// - Parameters:
  ///   - environment: of the job, beside that of the two nodes.
  ///   - status: of srun.
  ///   - beats: what ranks said before that, one word a file.
  /// - Returns: the job's end, and the words that srun and scontrol were given.
  private func job(
    _ environment: [String: String], ending status: Int32 = 0, beats: [String] = [],
    fruitless: Int = 0
  ) throws -> (result: Program.Result, srun: String, scontrol: String) {
    let folder = try TemporaryFolder()
    if fruitless > 0 { try folder.write("\(fruitless)\n", "electra-7.fruitless") }
    for (rank, state) in beats.enumerated() {
      try folder.write(
        "rank=\(rank) host=n\(rank + 1) process=5 step=12 section=reduction state=\(state)\n",
        "beat-\(rank)")
    }
    try folder.write(
      """
      #!/bin/sh
      echo "$*" > srun.told
      mkdir -p run/heartbeats
      for file in beat-*; do [ ! -e "$file" ] || cat "$file" > run/heartbeats/rank-0000${file#beat-}; done
      exit \(status)
      """, "srun")
    try folder.write("#!/bin/sh\necho \"$*\" > scontrol.told\n", "scontrol")
    try folder.write("#!/bin/sh\n", "sleep")
    let result = try Program.shell(
      "chmod +x srun scontrol sleep; PATH=$PWD:$PATH exec bash \"$0\" --data data --output=run",
      ["\(Program.launch)/electra.sbatch"],
      environment: Self.twoNodes.merging(environment) { $1 }.merging([
        "ELECTRA_ROOT": "\(Program.launch)/..", "ELECTRA_PROGRAM": Program.path,
      ]) { $1 }, in: folder.path)
    func told(_ name: String) -> String {
      (try? String(contentsOfFile: "\(folder.path)/\(name).told", encoding: .utf8)) ?? ""
    }
    return (result, told("srun"), told("scontrol"))
  }

  @Test(arguments: [
    (["SLURM_NTASKS_PER_NODE": "1"], "--ntasks=2 --ntasks-per-node=1 --cpus-per-task=2"),
    (["SLURM_NTASKS_PER_NODE": "2"], "--ntasks=4 --ntasks-per-node=2 --cpus-per-task=1"),
    (["SLURM_NTASKS": "2"], "--ntasks=2 --ntasks-per-node=1 --cpus-per-task=2"),
    (
      ["SLURM_NTASKS": "6", "SLURM_JOB_NUM_NODES": "3", "SLURM_JOB_CPUS_PER_NODE": "64(x2),32"],
      "--ntasks=6 --ntasks-per-node=2 --cpus-per-task=16"
    ),
  ])
  func ranksAreThoseAskedForAndCoresThoseOfTheSmallestNode(
    environment: [String: String], words: String
  ) throws {
    let (result, srun, _) = try job(environment)
    #expect(result.status == 0, "\(result.errors)")
    #expect(srun.contains("--mpi=pmix -K1"), "\(srun)")
    #expect(srun.contains(words), "\(srun)")
    #expect(srun.hasSuffix("pretrain --data data --output=run\n"))
  }

  @Test(arguments: [
    (["SLURM_NTASKS": "3"], "3 ranks were asked for and do not spread evenly over the 2 nodes"),
    (
      ["SLURM_NTASKS_PER_NODE": "3", "SLURM_JOB_CPUS_PER_NODE": "8,2"],
      "3 ranks a node were asked for and the job has only 2 cores on a node of n[1-2]"
    ),
  ])
  func anAllocationThatIsTooSmallIsRefused(
    environment: [String: String], sentence: String
  ) throws {
    let (result, srun, _) = try job(environment)
    #expect(result.status == 64)
    #expect(result.errors.contains(sentence), "\(result.errors)")
    #expect(srun.isEmpty)
  }

  @Test(arguments: [
    (75, "0", 0, true, "start 1 stopped as asked; queued again"),
    (75, "9", 2, true, "start 10 stopped as asked; queued again"),
    (
      137, "0", 0, true,
      "start 1 ended with status 137; lost: rank 1 on n2 in reduction of step 12; queued again"
    ),
    // Many starts that were asked to stop are no reason to end, and three lost ones in a row are.
    (137, "9", 1, true, "start 10 ended with status 137"),
    (137, "2", 2, false, "the third in a row that brought no checkpoint"),
    (0, "0", 0, false, ""),
    (65, "0", 0, false, ""),
    (78, "0", 0, false, ""),
  ])
  func whatHelpsIsTriedAgain(
    status: Int32, starts: String, fruitless: Int, isQueued: Bool, sentence: String
  ) throws {
    let (result, _, scontrol) = try job(
      ["SLURM_NTASKS_PER_NODE": "1", "SLURM_RESTART_COUNT": starts], ending: status,
      beats: ["stopping", "running"], fruitless: fruitless)
    #expect(scontrol == (isQueued ? "requeue 7\n" : ""))
    #expect(result.status == (isQueued ? 0 : status))
    #expect(result.errors.contains(sentence) || sentence.isEmpty, "\(result.errors)")
    #expect(!result.errors.isEmpty || sentence.isEmpty)
  }
}
