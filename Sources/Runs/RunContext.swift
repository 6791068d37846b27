import Collectives
import Platform
import Training

/// What every part of a run on this rank is given: the ranks, its threads, its folder and logs.
///
///     let context = RunContext(
///       folder: "run", world: world, layout: layout, watchdog: watchdog, start: now())
///     if context.isFirst { context.log.say("...") }
package struct RunContext {
  package let world: Communicator
  package let layout: RankLayout
  package let watchdog: Watchdog
  /// When the program began; `--hours` counts from here.
  package let start: Double
  package private(set) var folder: String
  /// Writes to `log.txt` of the run on rank zero, and to the screen alone on the others.
  package private(set) var log: RunLog
  package private(set) var metrics: MetricsLog

  /// Whether this is rank zero, which alone writes files and reports to the user.
  package var isFirst: Bool { world.rank == 0 }

  /// - Parameters:
  ///   - folder: of the run, which exists on rank zero.
  ///   - world: all ranks.
  ///   - layout: the processors of this rank's threads.
  ///   - watchdog: ends the run when a section of it takes too long.
  ///   - start: when the program began.
  package init(
    folder: String, world: Communicator, layout: RankLayout, watchdog: Watchdog, start: Double
  ) {
    (self.world, self.layout, self.watchdog) = (world, layout, watchdog)
    (self.folder, self.start) = (folder, start)
    let log = RunLog(path: world.rank == 0 ? folder + "/log.txt" : nil)
    self.log = log
    metrics = MetricsLog(folder: folder) { log.write($0) }
  }

  /// The context of a part of the run with metrics and checkpoints in `folder`.
  ///
  /// - Parameters:
  ///   - folder: of the part, which exists on rank zero.
  ///   - prefix: precedes the part's lines in the log, which stays the run's.
  /// - Returns: a context that differs in these two.
  package func part(folder: String, prefix: String) -> RunContext {
    var part = self
    let log = log.prefixed(prefix)
    (part.folder, part.log) = (folder, log)
    part.metrics = MetricsLog(folder: folder) { log.write($0) }
    return part
  }
}
