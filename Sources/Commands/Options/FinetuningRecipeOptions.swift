import ArgumentParser
import Finetuning

/// What a user can change of the paper's recipe for fine-tuning.
struct FinetuningRecipeOptions: ParsableArguments {
  @Option(help: "Passes over the training data; by default the paper's number for the task.")
  var epochs: Double?

  @Option(help: "The peak learning rate; by default the paper's for the encoder's width.")
  var learningRate: Double?

  @Option(help: "What a layer's learning rate is to that of the layer above it.")
  var layerDecay: Double?

  @Option(help: "The share of the steps in which the rate rises.")
  var warmup: Double?

  @Option(help: "Dropout of encoder and head.")
  var dropout: Float?

  @Option(help: "Sequences a step, over all ranks.")
  var batch: Int?

  @Option(help: "Tokens of the longest sequence.")
  var length: Int?

  @Option(
    help: """
      Parts of a batch for the reduction, a power of two, fixed at the first start; by default of \
      about 2048 tokens, and no fewer than there are lanes then.
      """)
  var slices: Int?

  @Option(help: "Tokens that go through the model at once.")
  var microBatch: Int?

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64?

  func apply(to recipe: inout FinetuningRecipe) {
    if let epochs { recipe.epochs = epochs }
    if let learningRate { recipe.learningRate = learningRate }
    if let layerDecay { recipe.layerDecay = layerDecay }
    if let warmup { recipe.warmupFraction = warmup }
    if let dropout { recipe.dropoutRate = dropout }
    if let batch { recipe.batchSize = batch }
    if let length { recipe.length = length }
    if let slices { recipe.slices = slices }
    if let microBatch { recipe.microBatchTokens = microBatch }
    if let seed { recipe.seed = seed }
  }
}
