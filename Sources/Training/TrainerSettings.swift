import Tensors

/// What the trainer needs to know of a run; everything here is part of the run's configuration and
/// decides its bits, but for nothing about ranks and workers.
package struct TrainerSettings: Sendable, Equatable {
  /// Sequences a step, over all ranks.
  package var batchSize: Int
  /// Parts that a batch is cut into; a power of two that divides the batch.
  package var sliceCount: Int
  /// The step that the schedule begins with.
  package var firstStep: Int
  /// The steps of the schedule.
  package var steps: Int
  package var warmupSteps: Int
  /// How often the learning rate rises and falls in these steps.
  package var cycles: Int
  package var learningRate: Double
  package var weightDecay: Float
  package var adam: AdamConstants
  /// The global norm that gradients are clipped to.
  package var clipNorm: Double

  package init(
    batchSize: Int, sliceCount: Int, firstStep: Int = 0, steps: Int, warmupSteps: Int,
    cycles: Int = 1, learningRate: Double, weightDecay: Float, adam: AdamConstants, clipNorm: Double
  ) {
    self.batchSize = batchSize
    self.sliceCount = sliceCount
    self.firstStep = firstStep
    self.steps = steps
    self.warmupSteps = warmupSteps
    self.cycles = cycles
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.adam = adam
    self.clipNorm = clipNorm
  }

  /// The sequences of slice `index`.
  func sequences(of index: Int) -> Range<Int> {
    let size = batchSize / sliceCount
    return index * size..<(index + 1) * size
  }

  /// The learning rate of `step`, counted from zero, in its cycle: a linear decay to zero times a linear warm-up,
  /// both at once (ELECTRA's `optimization.py`). So step 0 only fills the moments, and the peak stays
  /// a little below `learningRate`.
  package func rate(at step: Int) -> Double {
    let length = steps / cycles
    let cycle = min(cycles - 1, (step - firstStep) / max(1, length))
    let step = step - firstStep - cycle * length
    let decay = max(0, 1 - Double(step) / Double(max(1, length)))
    let warmup = warmupSteps > 0 ? min(1, Double(step) / Double(warmupSteps)) : 1
    return learningRate * decay * warmup
  }
}
