import Electra
import Layers
import Tensors
import TestSupport
import Testing

/// The second stage of two-stage training.
struct SecondStageTests {
  /// The second stage copies the encoder, and the embeddings or, where they are disentangled, their
  /// normalisation only: the differences are still zero.
  @Test(arguments: [PretrainingTask.Sharing.none, .disentangled])
  func theDiscriminatorOfTheSecondStageBeginsAsTheGenerator(
    sharing: PretrainingTask.Sharing
  ) throws {
    let objective = PretrainingTaskTests.objective(
      PretrainingTaskTests.task { ($0.scheme, $0.sharing) = (.twoStage, sharing) })
    let layout = objective.layout
    let vector = randomWeights(layout, scale: 0.3)
    for parameter in layout.parameters where parameter.isDifference { vector[parameter].fill(0) }
    // The second stage begins with step 7.
    #expect([6, 8].allSatisfy { objective.prepareWeights(before: $0) == nil })
    objective.prepareWeights(before: 7)?(vector)
    let weights = Weights(vector)
    defer { withExtendedLifetime(weights) {} }
    func expectEqual(_ tensor: Tensor, _ generators: String) throws {
      let source = try vector[#require(layout["generator." + generators])]
      #expect((0..<source.count).allSatisfy { tensor.base[$0] == source.base[$0] }, "\(generators)")
    }
    for table in objective.model.discriminator.embeddings.tables {
      try expectEqual(weights[table], table.parameter.nameOfSum)
    }
    for parameter in layout.parameters {
      if parameter.name.hasPrefix("embeddings.LayerNorm") {
        try expectEqual(vector[parameter], parameter.name)
      } else if parameter.name.hasPrefix("discriminator.encoder") {
        try expectEqual(
          vector[parameter], String(parameter.name.dropFirst("discriminator.".count)))
      }
    }
  }
}
