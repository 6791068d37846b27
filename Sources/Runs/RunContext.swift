import Collectives
import Platform
import Training

/// The environment of a run on this rank: the ranks, its threads, its folder and logs.
///
///     let context = RunContext(
///       folder: "run", world: world, layout: layout, watchdog: watchdog, start: now())
///     if context.isFirst { context.log.write("...") }
package struct RunContext {
  package let world: Communicator
  package let layout: RankLayout
  package let watchdog: Watchdog
  /// When the program began, in seconds of `now()`; `--hours` counts from here.
  package let start: Double
  package private(set) var folder: String
  /// Writes to `log.txt` of the run on rank zero, and to the screen alone on the others.
  package private(set) var log: RunLog
  package private(set) var metrics: MetricsLog

  /// Whether this is rank zero, which alone writes files and reports to the user.
  package var isFirst: Bool { world.rank == 0 }

  /// Makes the context of the run in `folder`, which must exist on rank zero.
  ///
  /// `watchdog` ends the run when one of its sections takes too long.
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
  ///   - folder: of the part; it must exist on rank zero.
  ///   - prefix: the text before each line that the part writes to the run's log.
  /// - Returns: a copy with another folder, metrics file and prefix.
  package func part(folder: String, prefix: String) -> RunContext {
    var part = self
    let log = log.prefixed(prefix)
    (part.folder, part.log) = (folder, log)
    part.metrics = MetricsLog(folder: folder) { log.write($0) }
    return part
  }
}
