import Models

extension PretrainingRun {
  /// The settings of one start of a run, none of which changes the result.
  package struct Options {
    package var run: RunSettings
    /// Steps between evaluations of held-out examples.
    package var evaluateEvery = 1
    /// The largest number of held-out examples of an evaluation.
    package var evaluateExamples = 2048
    /// Minimal pairs that each evaluation includes; nil for none.
    package var pairs: MinimalPairs?
    /// Whether encoder layers are recomputed in the backward pass (gradient checkpointing).
    package var recomputes = false
    /// Whether a fatal health warning stops the run.
    package var stopsWhenUnhealthy = false

    package init(_ run: RunSettings) { self.run = run }
  }
}
