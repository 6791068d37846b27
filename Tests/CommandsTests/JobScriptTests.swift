import Foundation
import TestSupport
import Testing

/// The Slurm job script with stand-ins for the commands of Slurm.
///
/// The stand-in of srun records its arguments and exits with the status that the test gives.
struct JobScriptTests {
  /// Two nodes of two cores.
  private static let twoNodes = [
    "SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_JOB_CPUS_PER_NODE": "2(x2)",
  ]

  /// Runs the job script; returns its result and the arguments of srun and scontrol.
  ///
  /// `environment` is added to that of the two nodes. srun exits with `status`, after writing a
  /// heartbeat per state of `beats` and running `work`; `before` runs before the job. `fruitless`
  /// starts before this one had no progress.
  private func job(
    _ environment: [String: String], _ options: [String] = ["--data", "data", "--output=run"],
    ending status: Int32 = 0, beats: [String] = [], fruitless: Int = 0, work: String = "",
    before: String = ":"
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
      \(work)
      for file in beat-*; do [ ! -e "$file" ] || cat "$file" > run/heartbeats/rank-0000${file#beat-}; done
      exit \(status)
      """, "srun")
    try folder.write("#!/bin/sh\necho \"$*\" > scontrol.told\n", "scontrol")
    try folder.write("#!/bin/sh\n", "sleep")
    let result = try Program.shell(
      "\(before); chmod +x srun scontrol sleep; PATH=$PWD:$PATH "
        + "exec env --default-signal bash \"$0\" \"$@\"",
      ["\(Program.launch)/electra.sbatch"] + options,
      environment: Self.twoNodes.merging(environment) { $1 }.merging([
        "ELECTRA_ROOT": "\(Program.launch)/..", "ELECTRA_PROGRAM": Program.path,
      ]) { $1 }, in: folder.path)
    func arguments(_ name: String) -> String {
      (try? String(contentsOfFile: "\(folder.path)/\(name).told", encoding: .utf8)) ?? ""
    }
    return (result, arguments("srun"), arguments("scontrol"))
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

  private static let verbs: [([String], String)] = [
    (["--data", "d", "--output", "run"], "\(Program.path) pretrain --data d --output run"),
    (["pretrain", "--data", "d"], "\(Program.path) pretrain --data d"),
    (["finetune", "cola", "--output", "run"], "\(Program.path) finetune cola --output run"),
    // The warning before the time limit must not kill it.
    (
      ["evaluate", "run", "--data", "d"],
      "sh -c trap \"\" USR1; exec \"$0\" \"$@\" \(Program.path) evaluate run --data d"
    ),
  ]

  @Test(arguments: verbs)
  func theVerbIsPretrainUnlessOneIsGiven(arguments: [String], command: String) throws {
    let (result, srun, _) = try job(["SLURM_NTASKS_PER_NODE": "1"], arguments)
    #expect(result.status == 0, "\(result.errors)")
    #expect(srun.hasSuffix("--cpus-per-task=2 \(command)\n"), "\(srun)")
  }

  /// SIGTERM at the time limit: a run is resumed, an evaluation would begin again.
  @Test
  func anEvaluationIsNotRequeuedAtItsTimeLimit() throws {
    for (verb, isRequeued) in [("pretrain", true), ("evaluate", false)] {
      let (result, _, scontrol) = try job(
        ["SLURM_NTASKS_PER_NODE": "1", "SLURM_JOB_END_TIME": "1"], [verb, "run", "--data", "d"],
        ending: 75, work: "kill -TERM $PPID")
      #expect(scontrol.isEmpty == !isRequeued, "\(result.errors)")
      #expect(result.errors.contains("give a longer --time\n") == !isRequeued, "\(result.errors)")
      // If the job ends while bash handles the signal, its status is that of the signal.
      #expect(isRequeued || [75, 143].contains(result.status), "\(result.status)")
    }
  }

  @Test
  func outsideOfAJobTheScriptNamesSbatch() throws {
    let (result, srun, _) = try job(["SLURM_JOB_ID": ""])
    #expect(result.status == 64 && srun.isEmpty)
    #expect(
      result.errors == "electra.sbatch: this is a job script; start it with sbatch\n",
      "\(result.errors)")
  }

  @Test
  func aVerbThatIsNoJobIsRefused() throws {
    let (result, srun, _) = try job(["SLURM_NTASKS_PER_NODE": "1"], ["detect", "--from", "run"])
    #expect(result.status == 64 && srun.isEmpty)
    #expect(
      result.errors.contains("a job runs pretrain, finetune or evaluate, not detect"),
      "\(result.errors)")
  }

  /// The steps of the next seed or fold begin at 1 again.
  @Test(arguments: ["seed", "fold"])
  func aCompletedPartOfAFineTuningIsProgress(part: String) throws {
    let next =
      "rm -r run/\(part)-1/checkpoints; touch run/\(part)-1/result.json; "
      + "mkdir -p run/\(part)-2/checkpoints/step-00000003"
    for (work, isRequeued) in [(next, true), ("", false)] {
      let (result, _, scontrol) = try job(
        ["SLURM_NTASKS_PER_NODE": "1"], ["finetune", "cola", "--output", "run"], ending: 137,
        fruitless: 2, work: work, before: "mkdir -p run/\(part)-1/checkpoints/step-00000040")
      #expect(scontrol.isEmpty == !isRequeued, "\(result.errors)")
    }
  }

  /// From step 100,000,000 on the name of a checkpoint has nine digits.
  @Test
  func aCheckpointWithALongerNameIsProgress() throws {
    let (result, _, scontrol) = try job(
      ["SLURM_NTASKS_PER_NODE": "1"], ending: 137, fruitless: 2,
      work: "mkdir run/checkpoints/step-100000000",
      before: "mkdir -p run/checkpoints/step-99999999")
    #expect(scontrol == "requeue 7\n", "\(result.errors)")
  }

  @Test(arguments: [
    (["SLURM_NTASKS": "3"], "3 ranks cannot be spread evenly over the 2 nodes"),
    (
      ["SLURM_NTASKS_PER_NODE": "3", "SLURM_JOB_CPUS_PER_NODE": "8,2"],
      "3 ranks per node need more than the 2 cores that the job has on a node of n[1-2]"
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

  /// A start that ended with `status` after `seconds`, following `fruitless` ones without progress.
  struct Start {
    var status: Int32
    var count = "0"
    var fruitless = 0
    var seconds = 3600.0
    /// Whether the ranks wrote a checkpoint.
    var isSaved = false
  }

  private static let starts: [(Start, Bool, String)] = [
    (Start(status: 75, isSaved: true), true, "start 1 stopped as requested; requeued"),
    // Many requested stops do not end the job if every start made progress.
    (
      Start(status: 75, count: "9", fruitless: 2, isSaved: true), true,
      "start 10 stopped as requested; requeued"
    ),
    (
      Start(status: 137), true,
      "start 1 ended with status 137; lost: rank 1 on n2 in reduction of step 12; requeued"
    ),
    (Start(status: 137, count: "9", fruitless: 1), true, "start 10 ended with status 137"),
    (
      Start(status: 137, count: "2", fruitless: 2), false,
      "the third in a row without progress: it wrote no new checkpoint"
    ),
    (
      Start(status: 75, count: "2", fruitless: 2), false,
      "the third in a row without progress: it wrote no new checkpoint"
    ),
    // A time limit that is shorter than the warning before it.
    (
      Start(status: 75, count: "1", fruitless: 1, seconds: 30, isSaved: true), true,
      "start 2 stopped as requested; requeued"
    ),
    (
      Start(status: 75, count: "2", fruitless: 2, seconds: 30, isSaved: true), false,
      "it was requested to stop within a minute; give a longer --time, or a later warning"
    ),
    (Start(status: 0), false, ""),
    (Start(status: 65), false, ""),
    (Start(status: 71), false, ""),
    (Start(status: 78), false, ""),
  ]

  @Test(arguments: starts)
  func whatHelpsIsTriedAgain(start: Start, isQueued: Bool, sentence: String) throws {
    let began = Int(Date().timeIntervalSince1970 - start.seconds)
    let (result, _, scontrol) = try job(
      [
        "SLURM_NTASKS_PER_NODE": "1", "SLURM_RESTART_COUNT": start.count,
        "SLURM_JOB_START_TIME": "\(began)",
      ], ending: start.status, beats: ["stopping", "running"], fruitless: start.fruitless,
      work: start.isSaved ? "mkdir -p run/checkpoints/step-00000020" : "")
    #expect(scontrol == (isQueued ? "requeue 7\n" : ""))
    #expect(result.status == (isQueued ? 0 : start.status))
    #expect(result.errors.contains(sentence) || sentence.isEmpty, "\(result.errors)")
    #expect(!result.errors.isEmpty || sentence.isEmpty)
  }
}
