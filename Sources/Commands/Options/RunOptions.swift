import ArgumentParser
import Collectives
import Runs
import Training

/// The options of a start of a resumable run; none of them changes its result.
struct RunOptions: ParsableArguments {
  @Option(help: "Stop after this many hours of this start, with a checkpoint.")
  var hours: Double?

  @Option(help: "Worker threads per rank; by default the rank's fair share of the host's cores.")
  var threads: Int?

  @Option(help: "Steps between lines of metrics.")
  var logEvery = 50

  @Flag(help: "Also log the times of ranks, pinning, processors and free memory.")
  var verbose = false

  @Option(
    help: """
      The deadline of a section of the run in seconds, after which the watchdog ends the run, such \
      as step=600. By default connection 120; start, checkpoint and evaluation 600 each; end 60; \
      step 60 or twenty times the median of the last steps, whichever is more.
      """)
  var deadline: [Deadline] = []

  @Option(help: "Seconds that Slurm leaves between SIGTERM and SIGKILL (KillWait, GraceTime).")
  var grace = 30.0

  func validate() throws {
    try expectCounts(["--log-every": logEvery, "--threads": threads])
    try expectTimes(["--grace": grace])
    if let hours, !(0...1e6 ~= hours) {
      throw ValidationError("--hours must be between 0 and 1000000, not \(hours)")
    }
  }

  var settings: RunSettings {
    var settings = RunSettings()
    (settings.hours, settings.logEvery, settings.isVerbose) = (hours, logEvery, verbose)
    return settings
  }

  /// The processors of this rank for any number of slices; every rank must call it.
  func layout(_ world: Communicator) throws -> RankLayout {
    try RankLayout(world: world, threads: threads, slices: .max)
  }

  /// The number of worker threads of all ranks; every rank must call it.
  func workers(_ world: Communicator) throws -> Int {
    try RankLayout.workers(world: world, threads: threads)
  }

  /// The context of the run in `folder`; starts its heartbeats.
  ///
  /// Every rank must call it.
  func context(
    _ folder: String, _ world: Communicator, _ runGuard: RunGuard, slices: Int
  ) throws -> RunContext {
    runGuard.watchdog.join(rank: world.rank, of: world.size, folder: folder)
    return RunContext(
      folder: folder, world: world,
      layout: try RankLayout(world: world, threads: threads, sharing: slices),
      watchdog: runGuard.watchdog, start: runGuard.start)
  }

  /// Runs `body` on every rank under a guard and ends with the status that it returns.
  ///
  /// Before that, all ranks must have the same program and options.
  func runOnAllRanks(
    _ command: some ParsableCommand,
    _ body: (Communicator, RunGuard) throws -> ExitStatus
  ) throws {
    let runGuard = RunGuard(
      deadlines: Dictionary(deadline.map { ($0.section, $0.seconds) }) { $1 }, slurmGrace: grace)
    try Commands.runOnAllRanks { world in
      do {
        try expectEqualPrograms(world, command)
        runGuard.watchdog.enter(.start)
        let status = try body(world, runGuard)
        runGuard.end(status == .success ? "finished" : "stopped")
        if status != .success { throw ExitCode(status.rawValue) }
      } catch {
        if !(error is ExitCode) { runGuard.end("failed") }
        throw error
      }
    }
  }
}

/// A section of the run with its deadline, such as `step=60`.
struct Deadline: ExpressibleByArgument {
  let section: Watchdog.Section
  let seconds: Double

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, let section = Watchdog.Section(rawValue: String(parts[0])),
      let seconds = Double(parts[1]), seconds > 0
    else { return nil }
    (self.section, self.seconds) = (section, seconds)
  }
}
