import ArgumentParser
import Collectives
import Electra
import Foundation
import Models
import Platform
import Runs

/// The options that change a preset; with the data they determine the result of a run.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The size: tiny, small, small++, base or large.")
  var preset: Preset?

  @Option(help: "A config.json to take sizes and recipe from, instead of a preset.")
  var config: String?

  @OptionGroup var objective: ObjectiveOptions

  @Option(help: "Steps of the schedule.")
  var steps: Int?

  @Option(help: "Sequences per step, over all ranks.")
  var batch: Int?

  @Option(help: "The longest sequence in tokens.")
  var length: Int?

  @Option(help: "The peak learning rate.")
  var learningRate: Double?

  @Option(
    help: """
      adam, or muon for the matrices of encoder layers and Adam elsewhere; by default muon \
      for the size tiny with mlm or mlm-rtd, otherwise adam.
      """)
  var optimizer: Optimizer?

  @Option(help: "Muon's learning rate divided by Adam's; by default 2.")
  var muonRate: Double?

  @Option(
    help: """
      Steps in which the learning rate rises; by default the preset's, with few --steps at most a \
      tenth of them, or the preset's share if that is more.
      """)
  var warmup: Int?

  @Option(
    help: """
      Parts of a batch for the reduction, a power of two, fixed at the first start; by default \
      slices of about 2048 tokens, and at least one per worker thread of the first start.
      """)
  var slices: Int?

  @Option(help: "Tokens that pass through the model at once; fixed at the first start.")
  var microBatch: Int?

  @Flag(help: "Mask the tokens of a word together.")
  var wholeWords = false

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64?

  @OptionGroup var products: ArithmeticOption

  @OptionGroup var exchange: ExchangeOptions

  @Flag(help: "Recompute activations in the backward pass (gradient checkpointing).")
  var recompute = false

  func validate() throws {
    if let preset, let config {
      throw ValidationError(
        "--preset \(preset.rawValue) and --config \(config) both set sizes and recipe; give one")
    }
  }

  /// The configuration of a new run with `workers` threads in total, on `ranks` ranks.
  ///
  /// `sizes` returns the sizes of the initial model for a task; nil keeps those of the preset.
  /// Throws a `UsageError` for values that are out of range or do not fit each other.
  func configuration(
    vocabularySize: Int, dataLength: Int, ranks: Int, workers: Int,
    sizes: (PretrainingTask) throws -> ElectraSizes? = { _ in nil }
  ) throws -> PretrainingConfiguration {
    var result: PretrainingConfiguration
    if let file = try fileConfiguration(vocabularySize: vocabularySize) {
      result = file
    } else {
      result = usualPreset.configuration(
        vocabularySize: vocabularySize, objective: objective.objective ?? usualPreset.objective)
      result.recipe.length = min(result.recipe.length, dataLength)
      if let steps { result.recipe.shorten(to: steps) }
    }
    apply(to: &result)
    if let problem = result.numericProblem { throw UsageError(problem) }
    try objective.check(result.recipe.task)
    if let sizes = try sizes(result.recipe.task) { result.model = sizes }
    objective.apply(to: &result.model, result.recipe.task)
    if result.recipe.slices == 0 {
      let recipe = result.recipe
      result.recipe.slices = ReductionTree.defaultSliceCount(
        batch: recipe.batchSize, tokens: recipe.batchSize * recipe.length, workers: workers)
    }
    try Self.check(result)
    result.setExchangeLevel(ranks: ranks)
    return result
  }

  /// The preset of a new run without `--config`.
  var usualPreset: Preset { preset ?? .small }

  /// The configuration of `--config` for this vocabulary size; nil without the option.
  func fileConfiguration(vocabularySize: Int) throws -> PretrainingConfiguration? {
    guard let config else { return nil }
    guard let data = FileManager.default.contents(atPath: config) else {
      throw UsageError("there is no configuration file \(config)")
    }
    var result = try decodeJSON(PretrainingConfiguration.self, data, from: config)
    result.model.vocabularySize = vocabularySize
    (result.data, result.earlierPhases) = (nil, [])
    return result
  }

  /// Sets the values of the given options.
  func apply(to configuration: inout PretrainingConfiguration) {
    objective.apply(to: &configuration.recipe)
    if let steps { configuration.recipe.steps = steps }
    if let batch { configuration.recipe.batchSize = batch }
    if let length { configuration.recipe.length = length }
    if let learningRate { configuration.recipe.learningRate = learningRate }
    if let optimizer { configuration.recipe.use(optimizer) }
    if let muonRate { configuration.recipe.muonRate = muonRate }
    if let warmup { configuration.recipe.warmupSteps = warmup }
    if let slices { configuration.recipe.slices = slices }
    if let microBatch { configuration.recipe.microBatchTokens = microBatch }
    if wholeWords { configuration.recipe.masksWholeWords = true }
    if let seed { configuration.recipe.seed = seed }
    if let arithmetic = products.arithmetic { configuration.arithmetic = arithmetic }
    exchange.apply(to: &configuration)
  }

  /// Checks values that depend on each other.
  static func check(_ configuration: PretrainingConfiguration) throws {
    if let problem = configuration.problem ?? configuration.recipe.sliceProblem {
      throw UsageError(problem)
    }
  }
}

extension Preset: ExpressibleByArgument {}
extension Optimizer: ExpressibleByArgument {}
