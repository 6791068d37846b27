import Foundation
import TestSupport
import Testing
import Training

private let canRunSlurm =
  getuid() == 0
  && ["ip", "mungekey", "munged", "slurmctld", "slurmd", "sbatch"].allSatisfy { name in
    ["/usr/sbin/", "/usr/bin/"].contains { FileManager.default.fileExists(atPath: $0 + name) }
  }

/// Jobs of a real Slurm with two emulated nodes.
@Suite(
  .serialized,
  .enabled(if: canRunSlurm, "a private Slurm needs root, iproute2, slurm-wlm and munge"))
struct SlurmTests {
  /// A job that loses a rank, and is later preempted, is requeued each time and gives the bytes of
  /// an undisturbed run.
  @Test
  func aJobThatIsDisturbedGoesOnByItself() throws {
    let folder = try InvarianceTests.folder()
    let command =
      InvarianceTests.command + [
        "--steps", "600", "--save-every", "20", "--log-every", "200", "--evaluate-every", "600",
      ]
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let result = try Program.shell(
      """
      lab=$0
      "$lab" up 2 || exit
      trap '"$lab" down' EXIT
      \(Program.awaitFunction)
      logHas() { [ "$(grep -c "$1" electra-*.log 2>/dev/null)" = "$2" ]; }
      "$lab" run sbatch --nodes=2 \(Program.launch)/electra.sbatch "$@" --grace 10
      await 'ls run/checkpoints/step-00000020' 2>/dev/null
      kill -KILL $(grep -o 'process=[0-9]*' run/heartbeats/rank-00001 | cut -d= -f2)
      await 'logHas "first step after" 2'
      "$lab" run sbatch --partition=high --nodes=2 --output=/dev/null --wrap 'sleep 1'
      await 'logHas "; requeued" 2'
      await 'logHas "done: 600 steps" 1'
      cat electra-*.log
      """, ["\(Program.launch)/lab/slurm-lab.sh"] + command.dropFirst() + ["--output", "run"],
      environment: [
        "ELECTRA_ROOT": "\(Program.launch)/..", "ELECTRA_PROGRAM": Program.path,
        "TMPDIR": folder.path,
      ], in: folder.path)
    #expect(result.status == 0 && !result.output.contains("never: "), "\(result.output)")
    for sentence in [
      "on 2 hosts (n1, n2; ", "lost: rank 1 on n2 in", "start 2 stopped as requested; requeued",
    ] {
      #expect(result.output.contains(sentence), "\(result.output) \(result.errors)")
    }
    #expect(
      try InvarianceTests.Outcome(folder, "run", steps: 600)
        == InvarianceTests.Outcome(folder, "whole", steps: 600))
    try expectNothingLeft(folder)
  }

  private func expectNothingLeft(_ folder: TemporaryFolder) throws {
    let left = try Program.shell(
      "ip netns list | grep electra-slurm; pgrep -r R,S,D 'munged|slurm'; ls -d electra-slurm",
      in: folder.path)
    #expect(left.output.isEmpty, "nothing stays behind: \(left.output)")
  }

  @Test
  func aJobThatIsCancelledEndsWithACheckpoint() throws {
    let folder = try InvarianceTests.folder()
    let command =
      InvarianceTests.command + ["--steps", "1000000", "--save-every", "1000000", "--grace", "4"]
    let result = try Program.shell(
      """
      lab=$0
      "$lab" up 1 || exit
      trap '"$lab" down' EXIT
      \(Program.awaitFunction)
      "$lab" run sbatch --nodes=1 \(Program.launch)/electra.sbatch "$@"
      await 'grep -q "first step after" electra-*.log 2>/dev/null'
      "$lab" run scancel 1
      await 'grep -q "was cancelled" electra-*.log'
      await '[ -z "$("$lab" run squeue -h)" ]'
      cat electra-*.log
      """, ["\(Program.launch)/lab/slurm-lab.sh"] + command.dropFirst() + ["--output", "run"],
      environment: [
        "ELECTRA_ROOT": "\(Program.launch)/..", "ELECTRA_PROGRAM": Program.path,
        "TMPDIR": folder.path,
      ], in: folder.path)
    #expect(result.status == 0 && !result.output.contains("never: "), "\(result.output)")
    #expect(result.output.contains("the job was cancelled; the same sbatch command resumes it"))
    #expect(!CheckpointStore(runFolder: folder.path + "/run").steps().isEmpty)
    try expectNothingLeft(folder)
  }

  /// A fine-tuning that loses a rank is requeued and gives the results of an undisturbed one; a job
  /// also evaluates, with the warning before its time limit at its start.
  @Test
  func aJobFineTunesAndEvaluates() throws {
    let folder = try finetuningFiles()
    let command = FinetuneTests.classification + ["--epochs", "30", "--threads", "1"]
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let result = try Program.shell(
      """
      lab=$0
      "$lab" up 2 || exit
      trap '"$lab" down' EXIT
      \(Program.awaitFunction)
      "$lab" run sbatch --nodes=2 \(Program.launch)/electra.sbatch "$@"
      await 'ls tuned/seed-1/checkpoints/step-* >/dev/null 2>&1'
      kill -KILL $(grep -o 'process=[0-9]*' tuned/heartbeats/rank-00001 | cut -d= -f2)
      await '[ -e tuned/predictions/answered.txt ]'
      await '[ -z "$("$lab" run squeue -h)" ]'
      "$lab" run sbatch --nodes=2 --time=1 \(Program.launch)/electra.sbatch evaluate run --data data
      await 'grep -q "discriminator skill" electra-2.log'
      cat electra-*.log
      """,
      ["\(Program.launch)/lab/slurm-lab.sh"] + command + [
        "--save-minutes", "0", "--output", "tuned",
      ],
      environment: [
        "ELECTRA_ROOT": "\(Program.launch)/..", "ELECTRA_PROGRAM": Program.path,
        "TMPDIR": folder.path,
      ], in: folder.path)
    #expect(result.status == 0 && !result.output.contains("never: "), "\(result.output)")
    for sentence in ["lost: rank 1 on n2 in", "seed 1: resuming after step"] {
      #expect(result.output.contains(sentence), "\(result.output) \(result.errors)")
    }
    let results = ["whole", "tuned"].map {
      FileManager.default.contents(atPath: "\(folder.path)/\($0)/results.json")
    }
    #expect(results[0] != nil && results[0] == results[1])
    try expectNothingLeft(folder)
  }
}
