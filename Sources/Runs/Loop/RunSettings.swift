/// How often a run logs and saves, and when it stops; nothing here changes its result.
package struct RunSettings {
  /// Hours of this start after which the run stops with a checkpoint; nil for no limit.
  package var hours: Double?
  /// Steps between lines of metrics.
  package var logEvery = 50
  /// Steps between checkpoints; nil where minutes alone count.
  package var saveEvery: Int?
  /// Minutes after which a checkpoint is written at the latest.
  package var saveMinutes = 15.0
  /// How many of the newest checkpoints are kept.
  package var keep = 3
  /// Steps whose checkpoints are written and kept for good.
  package var milestones: Set<Int> = []
  /// A file for a picture of the first steps of this start.
  package var timeline: String?

  package init() {}
}

/// How a start of a run ended.
package enum RunEnding {
  case finished
  /// Stopped by a signal or by `RunSettings.hours`, with a checkpoint.
  case stopped
  /// Stopped by the run itself, because of its health, with a checkpoint.
  case unhealthy
}
