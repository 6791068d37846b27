import Collectives
import Electra
import Layers
import Tensors
import Testing
import Training

struct ResourceEstimateTests {
  /// The estimate of a model with three tensors, one of them not a multiple of 16 floats.
  private func needs(ranks: Int = 1, workers: Int = 1, slices: Int = 8) -> ResourceEstimate {
    var layout = ParameterLayout()
    for (name, count) in [("a", 8192), ("b", 100), ("c", 4096)] {
      _ = layout.declare(name, [count], .zeros)
    }
    #expect(layout.count == 8192 + 112 + 4096)
    var settings = TrainerTests.settings
    settings.sliceCount = slices
    return ResourceEstimate(
      layout: layout, arithmetic: .float32,
      partition: Partition(layout, regions: [8192..<layout.count, 0..<8192], rankCount: ranks),
      settings: settings, workers: workers, activations: 1000)
  }

  private let vector = 4 * (8192 + 112 + 4096)

  /// One worker of eight slices holds four gradients: sums of 4, 2 and 1 slices, and the current
  /// one.
  @Test
  func oneRankHoldsEverythingOnce() {
    let needs = needs()
    #expect(needs.weights == vector && needs.moments == 2 * vector)
    #expect(needs.gradients == 4 * vector)
    #expect(needs.activations == 4 * 1000)
    #expect(needs.received == 0 && needs.sent == 0 && needs.messages == 0)
    #expect(needs.snapshot == 3 * vector)
    #expect(needs.checkpoint == 3 * 4 * (8192 + 100 + 4096))
    #expect(
      needs.memory
        == ResourceEstimate.program + (1 + 2 + 4 + 3) * vector + needs.activations)
  }

  /// Two workers of four slices hold three gradients each: sums of 2 and 1 slices, and the current
  /// one.
  @Test
  func everyWorkerHoldsItsGradients() {
    let needs = needs(workers: 2)
    #expect(needs.gradients == 2 * 3 * vector && needs.activations == 2 * 4 * 1000)
    #expect(self.needs(slices: 1).gradients == vector)
  }

  /// One of two ranks owns an additional block; each receives the other's piece of its largest
  /// part.
  @Test
  func ranksShareTheMoments() {
    let needs = needs(ranks: 2)
    // The bucket of b and c (4208 floats) is cut after b and c's only block, that of a between its
    // two.
    #expect(needs.moments == 2 * 4 * (4096 + 4208))
    #expect(needs.received == 4 * 4208)
    // A third vector beside the moments: the weights of the parts.
    #expect(needs.snapshot == needs.moments / 2 * 3 + 4 * 4208)
    #expect(needs.gradients == 3 * vector)
    #expect(needs.sent == 2 * 4 * (4096 + 4208))
    #expect(needs.messages == 4)
  }

  /// A matrix of Muon has one moment, and workers need a copy of it and two squares.
  @Test
  func muonHasFewerMomentsAndTemporaryMemory() {
    var layout = ParameterLayout()
    _ = layout.declare("encoder.layer.0.weight", [64, 256], .zeros)
    _ = layout.declare("a", [4096], .zeros)
    func needs(ranks: Int) -> ResourceEstimate {
      var settings = TrainerTests.settings
      settings.muon = MuonHyperparameters(learningRateFactor: 1, weightDecay: 0)
      return ResourceEstimate(
        layout: layout, arithmetic: .float32,
        partition: Partition(layout, regions: [0..<layout.count], rankCount: ranks),
        settings: settings, workers: 2, activations: 0)
    }
    let (vector, matrix, squares) = (4 * 5 * 4096, 4 * 4 * 4096, 4 * 2 * 4096)
    let alone = needs(ranks: 1)
    #expect(alone.moments == 2 * vector - matrix && alone.checkpoint == 3 * vector - matrix)
    #expect(alone.snapshot == 3 * vector - matrix)
    #expect(alone.orthogonalization == 2 * (matrix + squares) && alone.sent == 0)
    // Rank 0 has three of the matrix's four blocks, with one moment, and gathers the fourth from
    // rank 1, which has that and the other tensor's, with two.
    let two = needs(ranks: 2)
    #expect(two.moments == 3 * 16384)
    #expect(two.orthogonalization == 16384 + alone.orthogonalization)
  }
}
