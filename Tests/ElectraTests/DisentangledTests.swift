import Electra
import Layers
import Tensors
import TestSupport
import Testing

struct DisentangledTests {
  /// With disentangled embeddings the generator's gradient is that of its own loss, although the
  /// discriminator reads its tables, and all other gradients are those of the whole loss.
  ///
  /// The objective has both heads of the discriminator's encoder.
  @Test
  func disentangledEmbeddingsGetOneGradientEach() throws {
    let objective = PretrainingTaskTests.objective(
      PretrainingTaskTests.disentangled { $0.objective = .mlmRTD })
    let batch = PretrainingObjectiveTests.batch(lengths: [20, 9], vocabulary: 37)
    let (totals, scratch) = (objective.counts(of: batch), Storage(count: objective.layout.count))
    let arena = objective.makeWorkspace(sequences: 64)
    func loss(_ name: MetricName) -> (Storage, Storage?) -> Double {
      { weights, gradient in
        let tally = objective.accumulate(
          batch, totals: totals, weights: Weights(weights), gradient: gradient ?? scratch,
          workspace: arena, progress: ParameterProgress())
        return objective.metrics(of: tally).first { $0.name == name }?.value ?? .nan
      }
    }
    let (layout, weights) = (objective.layout, randomWeights(objective.layout, scale: 0.4))
    let tables = Set(
      layout.parameters.map(\.name).filter {
        $0.contains("embeddings.") && !$0.contains("project")
      })
    #expect(tables.filter { $0.hasSuffix(".delta") }.count == 3 && tables.count == 10)
    for (name, isGenerators) in [(MetricName.generatorLoss, true), (.loss, false)] {
      let results = compareGradients(
        of: layout, weights: weights, step: 5e-4, directions: 1, loss: loss(name))
      for result in results where result.parameter.hasPrefix("generator") == isGenerators {
        #expect(result.error < 1e-2, "\(result)")
        #expect(!tables.contains(result.parameter) || result.norm > 0, "\(result)")
      }
    }
  }
}
