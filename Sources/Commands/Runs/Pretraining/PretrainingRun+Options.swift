extension PretrainingRun {
  /// What a start of a run may choose: nothing here changes the result.
  struct Options {
    var hours: Double?
    var logEvery: Int
    var evaluateEvery: Int
    var evaluateExamples: Int
    var saveEvery: Int
    var saveMinutes: Double
    var keep: Int
    var timeline: String?
    var recomputes: Bool
    var stopsWhenSick: Bool
  }

  enum Ending {
    case finished
    case stopped
    /// Stopped by the run itself, because of its health.
    case sick
  }
}
