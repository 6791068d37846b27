import ArgumentParser
import Finetuning

/// The options that change the paper's fine-tuning recipe; omitted ones keep it.
struct FinetuningRecipeOptions: ParsableArguments {
  @Option(help: "Passes over the training data; by default the paper's for the task.")
  var epochs: Double?

  @Option(help: "The peak learning rate; by default the paper's for the encoder's width.")
  var learningRate: Double?

  @Option(help: "The ratio of a layer's learning rate to that of the layer above.")
  var layerDecay: Double?

  @Option(help: "The share of the steps in which the learning rate rises.")
  var warmup: Double?

  @Option(help: "Dropout of encoder and head.")
  var dropout: Float?

  @Option(
    parsing: .upToNextOption,
    help: "Weights of the classes in the loss: balanced, or CLASS=WEIGHT CLASS=WEIGHT (others: 1).")
  var classWeights: [String] = []

  @Option(help: "Sequences per step, over all ranks.")
  var batch: Int?

  @Option(help: "The longest sequence in tokens.")
  var length: Int?

  @Option(
    help: """
      Parts of a batch for the reduction, a power of two, fixed at the first start; by default \
      slices of about 2048 tokens, and at least one per worker thread of the first start.
      """)
  var slices: Int?

  @Option(help: "Tokens that pass through the model at once.")
  var microBatch: Int?

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64?

  @OptionGroup var products: ArithmeticOption

  func apply(to recipe: inout FinetuningRecipe) {
    if let epochs { recipe.epochs = epochs }
    if let learningRate { recipe.learningRate = learningRate }
    if let layerDecay { recipe.layerDecay = layerDecay }
    if let warmup { recipe.warmupFraction = warmup }
    if let dropout { recipe.dropoutRate = dropout }
    if !classWeights.isEmpty { recipe.classWeights = ClassWeights.normalized(classWeights) }
    if let batch { recipe.batchSize = batch }
    if let length { recipe.length = length }
    if let slices { recipe.slices = slices }
    if let microBatch { recipe.microBatchTokens = microBatch }
    if let seed { recipe.seed = seed }
    if let arithmetic = products.arithmetic { recipe.arithmetic = arithmetic }
  }

  /// Copies to `recipe` what the first start fixed and these options omit.
  func keep(_ recipe: inout FinetuningRecipe, _ existing: FinetuningRecipe) {
    if slices == nil { recipe.slices = existing.slices }
    if products.arithmetic == nil { recipe.arithmetic = existing.arithmetic }
  }
}
