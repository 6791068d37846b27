import ArgumentParser
import Training

/// How patient the guard of a run is (`RunGuard`).
struct GuardOptions: ParsableArguments {
  @Option(
    help: """
      Seconds that a section of the run may take before the watchdog ends it, as step=600: by \
      default connection 120, start, checkpoint and evaluation 600 each, end 60, and step 60 or \
      twenty times the median of the last steps, whichever is more.
      """)
  var deadline: [Deadline] = []

  @Option(help: "Seconds that Slurm leaves between SIGTERM and SIGKILL (KillWait, GraceTime).")
  var grace = 30.0

  var deadlines: [Watchdog.Section: Double] {
    Dictionary(deadline.map { ($0.section, $0.seconds) }) { $1 }
  }
}

/// A section of the run and its deadline, as `step=60`.
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
