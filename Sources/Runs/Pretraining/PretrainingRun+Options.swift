extension PretrainingRun {
  /// What a start of a run may choose; nothing here changes the result.
  package struct Options {
    package var run: RunSettings
    /// Steps between evaluations of held-out examples.
    package var evaluateEvery = 1
    /// Held-out examples of an evaluation, at most.
    package var evaluateExamples = 2048
    /// Whether encoder layers are computed anew in the backward pass.
    package var recomputes = false
    package var stopsWhenUnhealthy = false

    package init(_ run: RunSettings) { self.run = run }
  }
}
