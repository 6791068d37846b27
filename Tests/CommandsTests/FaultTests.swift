import Foundation
import TestSupport
import Testing
import Training

/// Faults of machines: ranks that die or hang, full disks, two jobs on one folder.
@Suite(.serialized)
struct FaultTests {
  private static let long = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "48", "--slices",
    "16", "--steps", "100000", "--save-every", "20", "--threads", "1", "--output", "run",
  ]

  /// Starts a run on three ranks and runs the shell command `fault` once it has a checkpoint.
  ///
  /// Returns the status of the job, the seconds from the fault to its end, and its standard error.
  private func disturb(
    _ folder: TemporaryFolder, _ fault: String, _ arguments: [String] = []
  ) throws -> (status: Int32, seconds: Double, errors: String) {
    let result = try Program.shell(
      """
      \(Program.awaitCheckpointFunction)
      script=$0
      MPIEXEC_TIMEOUT=60 env --default-signal "$script" -np 3 "$@" 2> said &
      job=$!
      awaitCheckpoint
      mpirun=$(pgrep -P $job -x mpirun)
      rank() { grep -o 'process=[0-9]*' run/heartbeats/rank-0000$1 | cut -d= -f2; }
      start=$(date +%s.%N)
      \(fault)
      wait $job
      echo $? $(echo "$(date +%s.%N) $start" | awk '{ print $1 - $2 }')
      """, ["\(Program.launch)/mpirun.sh"] + Self.long + arguments, in: folder.path)
    let words = result.output.split(whereSeparator: \.isWhitespace)
    return (
      try #require(words.first.flatMap { Int32($0) }),
      try #require(words.last.flatMap { Double($0) }),
      try folder.text("said")
    )
  }

  @Test
  func aKilledRankEndsTheJobAndIsNamed() throws {
    let folder = try preparedData()
    let end = try disturb(folder, "kill -KILL $(rank 1)")
    #expect(end.status != 0 && end.status != 75)
    // The limit that Reproducibility.md states.
    #expect(end.seconds < 5)
    let last = end.errors.split(separator: "\n").last ?? ""
    #expect(
      last.contains("lost: rank 1 on ") && last.contains("resumes from step-"), "\(end.errors)")
  }

  @Test(arguments: [0, 2])
  func aRankThatHangsIsNamedAndEndsTheJob(rank: Int) throws {
    let folder = try preparedData()
    let end = try disturb(
      folder, "kill -STOP $(rank \(rank))",
      ["start", "step", "checkpoint"].flatMap { ["--deadline", "\($0)=6"] })
    #expect(end.status == 76, "\(end.errors)")
    // The deadline, two seconds (Reproducibility.md), and half a second for the shell.
    #expect(end.seconds < 8.5)
    #expect(end.errors.contains("s from rank \(rank) on "), "\(end.errors)")
  }

  @Test(arguments: ["kill -TERM $job", "kill -USR1 $mpirun"])
  func aRequestToStopEndsWithACheckpoint(signal: String) throws {
    let folder = try preparedData()
    let end = try disturb(folder, signal)
    #expect(end.status == 75, "\(end.errors)")
    #expect(end.errors.contains("stopped as requested after step"), "\(end.errors)")
    let beats = (0..<3).compactMap { Heartbeat.last(folder: folder.path + "/run", rank: $0) }
    #expect(beats.map(\.state) == ["stopped", "stopped", "stopped"])
    let store = CheckpointStore(runFolder: folder.path + "/run")
    let step = try #require(try store.newestIntact { Issue.record("\($0)") }).state.step
    #expect(end.errors.contains("step-" + String(format: "%08d", step)))
  }

  /// A real SIGKILL at every write, flush and rename of a save.
  @Test
  func aSaveThatIsKilledAnywhereLosesNothing() throws {
    let folder = try InvarianceTests.folder()
    let command = InvarianceTests.command + ["--threads", "1", "--save-every", "1"]
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let base = try Program.run(command + ["--output", "base", "--hours", "0"], in: folder.path)
    #expect(base.status == 75, "\(base.errors)")
    let manager = FileManager.default
    var point = 0
    var status: Int32 = 0
    repeat {
      point += 1
      try? manager.removeItem(atPath: folder.path + "/run")
      try manager.copyItem(atPath: folder.path + "/base", toPath: folder.path + "/run")
      status = try Program.run(
        command + ["--output", "run", "--hours", "0"],
        environment: ["ELECTRA_KILL_AT": "\(point)"], in: folder.path
      ).status
      let found = try CheckpointStore(runFolder: folder.path + "/run").newestIntact {
        Issue.record("killed at \(point): \($0)")
      }
      #expect(found?.state.step == 1 || found?.state.step == 2, "killed at \(point)")
      if point % 25 == 1 || status == 75 {
        let rest = try Program.run(command + ["--output", "run"], in: folder.path)
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(
          try InvarianceTests.Outcome(folder, "run") == InvarianceTests.Outcome(folder, "whole"))
      }
    } while status != 75 && point < 1000
    #expect(status == 75 && point > 100)
  }

  @Test
  func trainingGoesOnWhereNoCheckpointCanBeWritten() throws {
    let folder = try preparedData()
    let command = [
      "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "16",
      "--steps", "12", "--save-every", "4", "--output", "run",
    ]
    // A limit on the file size ends a write as a quota or a full disk does.
    let limited = try Program.run(command, limits: "ulimit -f 2000", in: folder.path)
    #expect(limited.status == 73, "the last checkpoint is missing: \(limited.errors)")
    #expect(limited.errors.contains("no checkpoint at step 4: cannot write"))
    #expect(limited.errors.contains("File too large; training continues"))
    #expect(limited.errors.contains("no checkpoint at step 8: cannot write"))
    // A file in place of the checkpoint folder.
    try? FileManager.default.removeItem(atPath: folder.path + "/run/checkpoints")
    try folder.write("", "run/checkpoints")
    let blocked = try Program.run(command, in: folder.path)
    #expect(blocked.status == 73 && blocked.errors.contains("no checkpoint at step 8"))
    try FileManager.default.removeItem(atPath: folder.path + "/run/checkpoints")
    #expect(try Program.run(command, in: folder.path).status == 0)
  }

  @Test
  func aSecondJobOnTheSameFolderIsRefused() throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      \(Program.awaitCheckpointFunction)
      "$0" "$@" 2> first &
      job=$!
      awaitCheckpoint
      "$0" "$@" 2> second
      echo refused $?
      kill -KILL $job
      wait $job
      "$0" "$@" --hours 0 2> third
      echo taken over $?
      """, [Program.path] + Self.long, in: folder.path)
    #expect(result.output == "refused 73\ntaken over 75\n")
    let sentence = try folder.text("second")
    #expect(sentence.contains("run is in use by process "), "\(sentence)")
    #expect(!sentence.contains("parameters"))
  }

  @Test
  func ranksThatDisagreeAreNamedWithTheKey() throws {
    let folder = try preparedData()
    for (difference, key) in [
      ("--log-every 7", "option --log-every"), ("--seed 9", "option --seed"),
      ("--arithmetic bfloat16", "option --arithmetic"),
    ] {
      let result = try Program.runTwoRanks(
        Self.long, second: #""$0" "$@" \#(difference)"#, in: folder.path)
      #expect(result.status == 78, "\(result.errors)")
      #expect(result.errors.contains("rank 1 on ") && result.errors.contains("another \(key)"))
    }
    // Other kernels of OpenBLAS, as on hosts with other processors.
    let kernels = try Program.runTwoRanks(
      Self.long, first: #"env OPENBLAS_CORETYPE=Nehalem "$0" "$@" "#,
      second: #"env OPENBLAS_CORETYPE=Prescott "$0" "$@" "#, in: folder.path)
    #expect(kernels.status == 78, "\(kernels.errors)")
    #expect(kernels.errors.contains("another OpenBLAS or processor type"), "\(kernels.errors)")
    // Another binary: the same program with one more byte at its end.
    _ = try Program.shell(
      "cp \"$0\" other-program; echo >> other-program", [Program.path], in: folder.path)
    let other = try Program.runTwoRanks(
      Self.long, second: #"./other-program "$@" "#, in: folder.path)
    #expect(other.status == 78 && other.errors.contains("another program file"), "\(other.errors)")
  }
}
