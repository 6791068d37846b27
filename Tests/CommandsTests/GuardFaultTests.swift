import Foundation
import TestSupport
import Testing
import Training

/// Whether this process may create a PID namespace.
private let canMakeNamespace =
  (try? Program.shell(
    "unshare --pid --fork --mount-proc --kill-child true", in: NSTemporaryDirectory()))?.status == 0

/// Faults around a run: locks, terminal signals, and refused memory and threads.
@Suite(.serialized)
struct GuardFaultTests {
  /// A run that continues until it is asked to stop.
  private static let long = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "48", "--slices",
    "16", "--steps", "100000", "--save-every", "20", "--output", "run",
  ]

  /// Shell functions that wait for the first checkpoint of the run, and for a later one.
  private static let waiting = """
    \(Program.awaitFunction)
    newest() { ls run/checkpoints 2>/dev/null | grep -x 'step-[0-9]*' | tail -n 1 | sed 's/step-0*//'; }
    begun() { await '[ -n "$(newest)" ]'; }
    """

  /// The lock of a container that has the host's name.
  @Test(
    .enabled(if: canMakeNamespace, "skipped: this process may not make a PID namespace (unshare)"))
  func aRunInAnotherPIDNamespaceIsNotTakenOver() throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      \(Self.waiting)
      unshare --pid --fork --mount-proc --kill-child "$0" "$@" 2> first &
      job=$!
      begun
      "$0" "$@" 2> second
      echo refused $?
      step=$(newest)
      await '[ "$(newest)" -gt $step ]'
      kill -KILL $job
      wait $job
      cat first second
      """, [Program.path] + Self.long, in: folder.path)
    #expect(result.output.hasPrefix("refused 73\n"), "\(result.output)")
    #expect(result.output.contains(/process \d+ on \S+ holds run; waiting for its next heartbeat/))
    #expect(result.output.contains(/run is in use by process \d+ on \S+, which is running/))
    #expect(!result.output.contains("took over"))
  }

  @Test
  func aJobThatWaitsForALockCanBeStopped() throws {
    let folder = try preparedData()
    try folder.write("", "run/.lock")
    let result = try Program.shell(
      """
      \(Self.waiting)
      env --default-signal "$0" "$@" 2> said &
      job=$!
      await 'grep -q "an unknown process holds run" said'
      kill -TERM $job
      wait $job
      echo $?
      """, [Program.path] + Self.long, in: folder.path)
    let log = try folder.text("said")
    #expect(result.output == "75\n", "\(log)")
  }

  /// Another host takes the lock over if this one has given no heartbeat for two minutes.
  ///
  /// A holder looks at the lock every ten seconds.
  @Test
  func aRunWhoseLockIsTakenOverEnds() throws {
    let folder = try preparedData()
    let other = RunLock.Holder(
      host: "far", process: 1, started: "5", boot: "b", namespace: "", token: "t")
    try folder.write(JSONEncoder().encode(other), "other.lock")
    let result = try Program.shell(
      """
      \(Self.waiting)
      "$0" "$@" --threads 1 2> said &
      job=$!
      begun
      cp other.lock run/.lock
      wait $job
      echo $?
      cmp other.lock run/.lock
      """, [Program.path] + Self.long, in: folder.path)
    let log = try folder.text("said")
    #expect(result.output == "73\n", "\(log)")
    #expect(log.contains("another program has locked the run's folder; this one ends"), "\(log)")
  }

  /// SMB, exFAT and mounted object stores have no hard links.
  @Test
  func aFileSystemWithoutHardLinksIsEnough() throws {
    let folder = try preparedData()
    try folder.write(
      """
      #include <errno.h>
      int link(const char *old, const char *new) { errno = EPERM; return -1; }
      int linkat(int a, const char *old, int b, const char *new, int flags) { errno = EPERM; return -1; }
      """, "without-links.c")
    let result = try Program.shell(
      """
      clang -shared -fPIC -o without-links.so without-links.c || exit
      export LD_PRELOAD=$PWD/without-links.so
      ! ln data/data.json linked 2>/dev/null || exit 1
      "$0" "$@" --steps 5
      """, [Program.path] + Self.long, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
  }

  /// A shell that exits forwards the signal of its terminal, so the run gets it twice.
  @Test
  func aTerminalThatClosesStopsTheRunWithACheckpoint() throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      \(Self.waiting)
      env --default-signal "$0" "$@" --save-every 100000 2> said &
      job=$!
      await 'grep -q "first step after" said'
      kill -HUP $job
      kill -HUP $job
      wait $job
      echo $? $([ -n "$(newest)" ] && echo saved)
      """, [Program.path] + Self.long, in: folder.path)
    let log = try folder.text("said")
    #expect(result.output == "75 saved\n", "\(log)")
  }

  @Test
  func underNohupATerminalThatClosesChangesNothing() throws {
    let folder = try preparedData()
    let result = try Program.shell(
      """
      \(Self.waiting)
      env --default-signal nohup "$0" "$@" 2> said &
      job=$!
      begun
      kill -HUP $job
      step=$(newest)
      await '[ "$(newest)" -gt $((step + 40)) ]'
      kill -TERM $job
      wait $job
      echo $?
      """, [Program.path] + Self.long, in: folder.path)
    let log = try folder.text("said")
    #expect(result.output == "75\n", "\(log)")
  }
}

/// Memory and threads that the system refuses.
@Suite(.serialized)
struct ShortageTests {
  private static let run = [
    "pretrain", "--data", "data", "--preset", "tiny", "--length", "32", "--batch", "64",
    "--slices", "64", "--steps", "2", "--output", "run",
  ]

  /// From too little for the first threads to nearly enough: the program neither traps nor hangs.
  @Test(arguments: [300_000, 450_000, 600_000, 750_000, 900_000])
  func aLimitOfTheAddressSpaceIsReportedInASentence(kilobytes: Int) throws {
    let folder = try preparedData(documents: 60)
    let result = try Program.run(
      Self.run + ["--threads", "4"], limits: "ulimit -v \(kilobytes)", in: folder.path)
    if kilobytes < 900_000 || result.status != 0 { try expectSentence(result) }
  }

  private func expectSentence(_ result: Program.Result) throws {
    #expect(result.status == 71, "\(result.errors)")
    let refused = result.errors.split(separator: "\n").filter {
      $0.hasPrefix("electra: out of memory on ")
        || $0.hasPrefix("electra: no thread can be started")
    }
    #expect(refused.count == 1, "\(result.errors)")
    #expect(refused.first?.contains("ulimit -v allows") == true)
    #expect(!result.errors.contains("Fatal error"), "\(result.errors)")
  }

  @Test
  func oneRankWithoutMemoryEndsAllRanks() throws {
    let folder = try preparedData(documents: 60)
    let result = try Program.runTwoRanks(
      Self.run + ["--threads", "2"],
      second: #"sh -c 'ulimit -v 700000; exec "$0" "$@"' "$0" "$@" "#, in: folder.path)
    try expectSentence(result)
  }
}
