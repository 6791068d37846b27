import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

struct FinetuningRecipeTests {
  private func recipe(width: Int, task: String = "rte") throws -> FinetuningRecipe {
    var recipe = FinetuningRecipe(
      try Task.named(task),
      NetworkSizes(
        vocabularySize: 99, embeddingSize: 8, positionCount: 100, typeCount: 2,
        encoder: EncoderSizes(
          hiddenSize: width, layerCount: 1, headCount: 1, intermediateSize: 8)))
    recipe.slices = 8
    return recipe
  }

  /// ELECTRA, table 7: learning rates and layer-wise decay of Small, Base and Large.
  @Test(arguments: [(256, 3e-4, 0.8), (768, 1e-4, 0.8), (1024, 5e-5, 0.9)])
  func ratesAreThePapers(width: Int, rate: Double, decay: Double) throws {
    let recipe = try recipe(width: width)
    #expect((recipe.learningRate, recipe.layerDecay) == (rate, decay))
    #expect((recipe.batchSize, recipe.warmupFraction, recipe.length) == (32, 0.1, 100))
    #expect(recipe.problem(positions: 100) == nil)
  }

  @Test
  func passesEndAtTheNearestStepAndTheLastOneAtTheEnd() throws {
    var recipe = try recipe(width: 8)
    (recipe.batchSize, recipe.epochs) = (32, 3)
    #expect(recipe.steps(examples: 100) == 9)
    #expect(recipe.epochEnds(examples: 100) == [3, 6, 9])
    recipe.epochs = 2.5
    #expect(recipe.steps(examples: 100) == 7 && recipe.epochEnds(examples: 100) == [3, 6, 7])
    recipe.epochs = 0.01
    #expect(recipe.steps(examples: 100) == 1 && recipe.epochEnds(examples: 100) == [1])
    // One step covers several passes.
    recipe.epochs = 40
    #expect(recipe.epochEnds(examples: 2) == [1, 2])
  }

  /// Recipes of earlier versions have no arithmetic.
  @Test
  func theArithmeticIsFloat32WhereItIsMissing() throws {
    var recipe = try recipe(width: 8)
    let data = try JSONEncoder().encode(recipe)
    var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object.removeValue(forKey: "arithmetic") as? String == "float32")
    let older = try JSONSerialization.data(withJSONObject: object)
    #expect(try JSONDecoder().decode(FinetuningRecipe.self, from: older) == recipe)
    recipe.arithmetic = .bfloat16
    let rounded = try JSONEncoder().encode(recipe)
    #expect(try JSONDecoder().decode(FinetuningRecipe.self, from: rounded) == recipe)
  }

  @Test
  func numbersThatCannotBeAreNamed() throws {
    let sound = try recipe(width: 8)
    func problem(_ change: (inout FinetuningRecipe) -> Void) -> String {
      var recipe = sound
      change(&recipe)
      return recipe.problem(positions: 100) ?? "none"
    }
    #expect(problem { $0.length = 101 }.contains("above the encoder's 100 positions"))
    #expect(problem { $0.slices = 0 } == "slices is 0; it must be at least 1")
    #expect(problem { $0.microBatchTokens = 0 } == "micro-batch is 0; it must be at least 1")
    #expect(problem { $0.slices = 6 } == "6 slices are not a power of two")
    #expect(problem { $0.batchSize = 20 } == "a batch of 20 cannot be cut into 8 equal slices")
    #expect(problem { $0.batchSize = 1 << 21 }.contains("is above 1048576"))
    #expect(problem { $0.epochs = .nan }.contains("above 0 and at most 100000"))
    #expect(problem { $0.learningRate = .infinity }.contains("learning rate is inf"))
    #expect(problem { $0.layerDecay = 1.5 }.contains("is not above 0 and at most 1"))
    #expect(problem { $0.warmupFraction = 1 }.contains("a warm-up of 1.0"))
    #expect(problem { $0.dropoutRate = 1 }.contains("a dropout of 1.0"))
  }
}
