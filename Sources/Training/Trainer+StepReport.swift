extension Trainer {
  /// The measurements of one step.
  package struct StepReport {
    /// The tokens of the batch, over all ranks.
    package var tokens = 0
    /// The global norm of the gradient before clipping.
    package var gradientNorm = 0.0
    package var learningRate = 0.0
    /// The seconds of the step on this rank.
    package var seconds = 0.0
    /// The part of `seconds` in which this rank read its input.
    package var inputSeconds = 0.0
    /// The part of `seconds` in which this rank waited for other ranks or reduced gradients.
    package var reductionSeconds = 0.0
    /// The seconds of the communication thread, most of which overlap with computation.
    package var trafficSeconds = 0.0
    /// Whether any rank requested a stop or a save.
    package var requests = StepRequests()
  }

  /// A rank's requests for the end of a step.
  ///
  /// A request of any rank holds for all, so that all stop or save after the same step.
  package struct StepRequests: Sendable, Equatable {
    package var stop = false
    package var save = false

    package init(stop: Bool = false, save: Bool = false) {
      self.stop = stop
      self.save = save
    }
  }
}
