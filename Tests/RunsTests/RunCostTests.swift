import Electra
import Runs
import Tensors
import Testing
import Training

struct RunCostTests {
  private static func cost(
    ranks: Int = 1, workers: Int = 1, keep: Int = 3, recomputes: Bool = false,
    arithmetic: Arithmetic = .float32
  ) -> RunCost {
    var configuration = Preset.tiny.configuration(vocabularySize: 100)
    (configuration.recipe.steps, configuration.recipe.slices) = (160, 8)
    configuration.arithmetic = arithmetic
    return RunCost(
      configuration, ranks: ranks, workers: workers, keep: keep, recomputes: recomputes)
  }

  @Test
  func theDiskHoldsTheNewestTheMilestonesAndOneBeingWritten() {
    // Milestones: steps 10, 20, 40, 80 and 160.
    let cost = Self.cost(keep: 3)
    #expect(cost.checkpoints == 3 + 5 + 1)
    #expect(cost.disk == 9 * cost.needs.checkpoint)
    // Weights and two moments in float32.
    #expect(cost.needs.checkpoint == 12 * cost.parameters)
    #expect(Self.cost(keep: Int.max / 2).disk == .max)
  }

  @Test
  func memoryFollowsRanksThreadsAndRecomputation() {
    let one = Self.cost()
    #expect(Self.cost(ranks: 4).needs.moments < one.needs.moments, "moments are shared out")
    #expect(Self.cost(workers: 4).needs.activations > one.needs.activations)
    #expect(Self.cost(recomputes: true).needs.activations < one.needs.activations)
    let rounded = Self.cost(workers: 4, arithmetic: .bfloat16)
    #expect(rounded.needs.packedWeights > 0)
    #expect(rounded.needs.packedWeights == Self.cost(arithmetic: .bfloat16).needs.packedWeights)
    #expect(one.parameters == Self.cost(ranks: 4, workers: 2, keep: 1).parameters)
  }
}
