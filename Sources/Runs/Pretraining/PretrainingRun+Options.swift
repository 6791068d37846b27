extension PretrainingRun {
  /// What a start of a run may choose: nothing here changes the result.
  package struct Options {
    package var hours: Double?
    package var logEvery = 50
    package var evaluateEvery = 1
    package var evaluateExamples = 2048
    package var saveEvery = 1000
    package var saveMinutes = 30.0
    package var keep = 3
    package var timeline: String?
    package var recomputes = false
    package var stopsWhenSick = false

    package init() {}
  }

  package enum Ending {
    case finished
    case stopped
    /// Stopped by the run itself, because of its health.
    case sick
  }
}
