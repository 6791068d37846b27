import Tensors

/// What the trainer needs to know of a run.
///
/// Everything here affects the result. Ranks and threads do not appear: they never do.
package struct TrainerSettings: Sendable, Equatable {
  /// Sequences a step, over all ranks.
  package var batchSize: Int
  /// Parts that a batch is cut into; a power of two that divides the batch.
  package var sliceCount: Int
  package var schedule: LearningRateSchedule
  package var adam: AdamHyperparameters
  /// The global norm that gradients are clipped to.
  package var clipNorm: Double

  package init(
    batchSize: Int, sliceCount: Int, schedule: LearningRateSchedule, adam: AdamHyperparameters,
    clipNorm: Double
  ) {
    self.batchSize = batchSize
    self.sliceCount = sliceCount
    self.schedule = schedule
    self.adam = adam
    self.clipNorm = clipNorm
  }

  /// The sequences of slice `index`.
  func sequences(of index: Int) -> Range<Int> {
    let size = batchSize / sliceCount
    return index * size..<(index + 1) * size
  }
}

/// The learning rate of every step.
///
///     learningRate(step) = peak * min(1, step / warmupSteps) * (1 - step / steps)
///
/// Warm-up and decay apply together (ELECTRA's `optimization.py`), so step 0 only fills the moments,
/// and the largest rate stays a little below the peak.
package struct LearningRateSchedule: Sendable, Equatable {
  /// The peak.
  package var learningRate: Double
  /// The step that the schedule begins with.
  package var firstStep: Int
  /// The steps of the schedule.
  package var steps: Int
  package var warmupSteps: Int
  /// How often the learning rate rises and falls in these steps.
  package var cycles: Int

  package init(
    learningRate: Double, firstStep: Int = 0, steps: Int, warmupSteps: Int, cycles: Int = 1
  ) {
    self.learningRate = learningRate
    self.firstStep = firstStep
    self.steps = steps
    self.warmupSteps = warmupSteps
    self.cycles = cycles
  }

  /// The learning rate of `step`, counted from zero over the whole run.
  ///
  /// It is the formula above with the step counted within its cycle, and 0 from the last step on.
  package func learningRate(at step: Int) -> Double {
    let length = steps / cycles
    let cycle = min(cycles - 1, (step - firstStep) / max(1, length))
    let step = step - firstStep - cycle * length
    let decay = max(0, 1 - Double(step) / Double(max(1, length)))
    let warmup = warmupSteps > 0 ? min(1, Double(step) / Double(warmupSteps)) : 1
    return learningRate * decay * warmup
  }
}
