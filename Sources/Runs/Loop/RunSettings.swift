/// How often a run logs and saves, and when it stops.
///
/// Nothing here changes the result.
package struct RunSettings {
  /// Hours of this start after which the run stops with a checkpoint; nil for no limit.
  package var hours: Double?
  /// Steps between lines of metrics.
  package var logEvery = 50
  /// Whether the log also has the times of ranks and details of the environment.
  package var isVerbose = false
  /// Decimals of the loss in the log.
  package var lossDecimals = 2
  /// Steps between checkpoints; nil where `saveMinutes` alone decides.
  package var saveEvery: Int?
  /// Minutes between checkpoints, at most.
  package var saveMinutes = 15.0
  /// How many of the newest checkpoints are kept.
  package var keep = 3
  /// Steps whose checkpoints are always written, and never removed.
  package var milestones: Set<Int> = []
  /// The file for a timeline of the first steps of this start; nil for none.
  package var timeline: String?

  package init() {}
}

/// How a start of a run ended.
package enum RunEnding {
  case finished
  /// Stopped by a signal or by `RunSettings.hours`, with a checkpoint.
  case stopped
  /// Stopped by a fatal health warning, with a checkpoint.
  case unhealthy
}
