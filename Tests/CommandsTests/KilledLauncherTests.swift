import Foundation
import TestSupport
import Testing

/// However a launch script ends, its ranks end too.
@Suite(.serialized)
struct KilledLauncherTests {
  private static let faults = [
    // The script alone, and everything that Ctrl-C or a job manager would reach.
    "kill -KILL $job", "kill -KILL -- -$job",
    "kill -TERM $job", "kill -INT $job", "kill -HUP $job",
  ]

  @Test(arguments: ["mpirun.sh", "keep-going.sh"], faults)
  func aKilledScriptLeavesNoRank(script: String, fault: String) throws {
    try expectNoRank(script, after: fault)
  }

  @Test
  func aKilledMpirunLeavesNoRank() throws {
    try expectNoRank("mpirun.sh", after: "kill -KILL $(ps -o ppid= -p ${ranks%%$'\\n'*})")
  }

  /// The script pauses for eleven seconds after a start without a checkpoint.
  @Test
  func aStopBetweenTwoStartsIsImmediate() throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\nexit 137\n", "mpirun")
    let result = try Program.shell(
      """
      \(Program.awaitFunction)
      chmod +x mpirun
      PATH=$PWD:$PATH env --default-signal "$0" -np 1 pretrain 2>log &
      job=$!
      await 'grep -q "restarting after" log'
      start=$SECONDS
      kill -TERM $job
      wait $job
      echo "status $?, fast: $((SECONDS - start < 6))"
      """, ["\(Program.launch)/keep-going.sh"], in: folder.path)
    #expect(result.output == "status 75, fast: 1\n", "\(result.output) \(result.errors)")
  }

  /// A second request would end the ranks at once.
  ///
  /// A terminal that closes sends SIGHUP several times, a job manager a signal to the whole group.
  @Test(
    arguments: ["mpirun.sh", "keep-going.sh"],
    ["kill -HUP $job; sleep 0.2; kill -HUP $job", "kill -TERM -- -$job", "kill -HUP -- -$job"])
  func aRequestToStopIsPassedOnOnce(script: String, fault: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      #!/usr/bin/env -S python3 -SE
      import os, signal, time
      def save(*_):
          time.sleep(1)
          print("saved", flush=True)
          os._exit(75)
      signal.signal(signal.SIGUSR1, save)
      signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
      open("started", "w").close()
      time.sleep(60)

      """, "mpirun")
    let result = try Program.shell(
      """
      \(Program.awaitFunction)
      chmod +x mpirun
      PATH=$PWD:$PATH setsid env --default-signal "$0" -np 1 pretrain &
      job=$!
      await '[ -e started ]'
      \(fault)
      wait $job
      echo "status $?"
      """, ["\(Program.launch)/\(script)"], in: folder.path)
    #expect(result.output == "saved\nstatus 75\n", "\(result.output) \(result.errors)")
  }

  /// mpirun dies of a signal that arrives before it handles signals.
  @Test(arguments: ["mpirun.sh", "keep-going.sh"])
  func aStopBeforeTheRanksStartIsAStop(script: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\ntouch started\nexec sleep 60\n", "mpirun")
    let result = try Program.shell(
      """
      \(Program.awaitFunction)
      chmod +x mpirun
      PATH=$PWD:$PATH env --default-signal "$0" -np 1 pretrain &
      job=$!
      await '[ -e started ]'
      kill -TERM $job
      wait $job
      echo "status $?"
      """, ["\(Program.launch)/\(script)"], in: folder.path)
    #expect(result.output == "status 75\n", "\(result.output)")
    #expect(result.errors == "mpirun.sh: stopped as requested\n", "\(result.errors)")
  }

  /// Runs a fault once the run has a checkpoint; the ranks must end within 30 seconds.
  private func expectNoRank(_ script: String, after fault: String) throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      \(Program.awaitCheckpointFunction)
      setsid env --default-signal "$0" -np 2 pretrain --data data --preset tiny --length 32 \\
        --batch 16 --steps 1000000 --save-every 1 --threads 1 --output run >log 2>&1 &
      job=$!
      awaitCheckpoint
      ranks=$(sed -n 's/.*process=\\([0-9]*\\).*/\\1/p' run/heartbeats/rank-*)
      [ "$(wc -w <<<"$ranks")" -eq 2 ] || { echo "not two ranks: $ranks"; cat log; }
      for rank in $ranks; do kill -0 $rank || echo "rank $rank does not run"; done
      \(fault)
      for i in $(seq 300); do
        left=
        for rank in $ranks; do kill -0 $rank 2>/dev/null && left+="$rank "; done
        [ -n "$left" ] || break
        sleep 0.1
      done
      echo "left: $left"
      kill -KILL $job $ranks 2>/dev/null
      """, ["\(Program.launch)/\(script)"], in: folder.path)
    #expect(result.output == "left: \n", "\(result.errors)")
  }
}
