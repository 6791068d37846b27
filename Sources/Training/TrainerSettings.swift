import Collectives
import Layers
import Tensors

/// The settings of a training run.
///
/// Every setting affects the result. Ranks and threads are not among them, because they never do.
package struct TrainerSettings: Sendable, Equatable {
  /// The sequences of a step, over all ranks.
  package var batchSize: Int
  /// The number of slices of a batch; a power of two that divides the batch size.
  package var sliceCount: Int
  /// The level of the reduction tree from which sums are rounded to bfloat16.
  ///
  /// nil for an exchange in float32.
  package var roundingLevel: Int?
  package var schedule: LearningRateSchedule
  package var adam: AdamHyperparameters
  /// Muon for the hidden matrices (`ParameterLayout.hiddenMatrices`); nil for Adam everywhere.
  package var muon: MuonHyperparameters?
  /// The global norm that gradients are clipped to.
  package var clipNorm: Double

  package init(
    batchSize: Int, sliceCount: Int, roundingLevel: Int? = nil, schedule: LearningRateSchedule,
    adam: AdamHyperparameters, clipNorm: Double
  ) {
    self.batchSize = batchSize
    self.sliceCount = sliceCount
    self.roundingLevel = roundingLevel
    self.schedule = schedule
    self.adam = adam
    self.clipNorm = clipNorm
  }

  /// The matrices of `layout` that Muon updates, which have no second moment.
  package func matrices(of layout: ParameterLayout) -> [Parameter] {
    muon == nil ? [] : layout.hiddenMatrices
  }

  /// The tree by which the gradients of the slices are added.
  package var tree: ReductionTree {
    ReductionTree(sliceCount: sliceCount, roundingLevel: roundingLevel)
  }

  /// How weights are sent between ranks.
  ///
  /// Matrices are sent in bfloat16 if the exchange is bfloat16 and the arithmetic rounds factors.
  package func gatherFormat(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> GatherFormat {
    roundingLevel == nil
      ? .float32 : GatherFormat(roundedRanges: layout.roundedRanges(in: arithmetic))
  }

  /// The bytes of one gradient and one vector of weights as they are sent between ranks.
  ///
  /// A rank of N, N a power of two, sends (N - 1) / N of them in a step, if the level of its sum is
  /// at least the rounding level.
  package func communicatedBytes(_ layout: ParameterLayout, _ arithmetic: Arithmetic) -> Int {
    (roundingLevel == nil ? 4 : 2) * layout.count
      + gatherFormat(layout, arithmetic).bytes(of: 0..<layout.count)
  }

  /// The sequences of slice `index`.
  func sequences(of index: Int) -> Range<Int> {
    let size = batchSize / sliceCount
    return index * size..<(index + 1) * size
  }
}

/// The learning rate as a function of the step: linear warm-up times linear decay.
///
///     learningRate(step) = peak * min(1, step / warmupSteps) * (1 - step / steps)
///
/// Both factors apply at the same time (ELECTRA's `optimization.py`). So the rate of step 0 is 0,
/// and that step only updates the moments; the largest rate is a little below the peak.
package struct LearningRateSchedule: Sendable, Equatable {
  /// The peak.
  package var learningRate: Double
  /// The first step of the schedule.
  package var firstStep: Int
  /// The number of steps of the schedule.
  package var steps: Int
  package var warmupSteps: Int
  /// The number of equal parts of the schedule, each with its own warm-up and decay.
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

  /// The steps of the run up to the end of the schedule, those before it included.
  package var end: Int { firstStep + steps }

  /// The learning rate of `step`, counted from zero over the whole run.
  ///
  /// The formula above applies to the step within its cycle. The rate is 0 after the last cycle.
  package func learningRate(at step: Int) -> Double {
    let length = steps / cycles
    let cycle = min(cycles - 1, (step - firstStep) / max(1, length))
    let step = step - firstStep - cycle * length
    let decay = max(0, 1 - Double(step) / Double(max(1, length)))
    let warmup = warmupSteps > 0 ? min(1, Double(step) / Double(warmupSteps)) : 1
    return learningRate * decay * warmup
  }
}
