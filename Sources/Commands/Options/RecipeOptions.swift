import ArgumentParser
import Collectives
import Electra
import Foundation
import Models
import Platform

/// What a user can change of a preset; together with the data this decides the result of a run.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The size: tiny, small, small++, base or large.")
  var preset: Preset?

  @Option(help: "A config.json to take sizes and recipe from, instead of a preset.")
  var config: String?

  @OptionGroup var task: ObjectiveOptions

  @Option(help: "Steps of the schedule.")
  var steps: Int?

  @Option(help: "Sequences a step, over all ranks.")
  var batch: Int?

  @Option(help: "Tokens of the longest sequence.")
  var length: Int?

  @Option(help: "The peak learning rate.")
  var learningRate: Double?

  @Option(
    help: """
      Steps in which the learning rate rises; by default the preset's, and where --steps are few at \
      most a tenth of them or as large a part as the preset's.
      """)
  var warmup: Int?

  @Option(
    help: """
      Parts of a batch for the reduction, a power of two, fixed at the first start; by default of \
      about 2048 tokens, and no fewer than there are lanes then.
      """)
  var slices: Int?

  @Option(help: "Tokens that go through the model at once; fixed at the first start.")
  var microBatch: Int?

  @Flag(help: "Mask the tokens of a word together.")
  var wholeWords = false

  @Option(help: "The seed of all random numbers.")
  var seed: UInt64?

  @Flag(
    help: "Compute encoder layers twice instead of keeping what is inside: less memory, same bits.")
  var recompute = false

  func validate() throws {
    if let preset, let config {
      throw ValidationError(
        "--preset \(preset.rawValue) and --config \(config) both set sizes and recipe; give one")
    }
  }

  /// The configuration for a new run with `workers` lanes in all.
  ///
  /// - Parameter sizes: those of the model that the run begins with, given its task; nil for the
  ///   preset's.
  func configuration(
    vocabularySize: Int, dataLength: Int, workers: Int,
    sizes: (PretrainingTask) throws -> ElectraSizes? = { _ in nil }
  ) throws -> PretrainingConfiguration {
    var result: PretrainingConfiguration
    if let file = try fileConfiguration(vocabularySize: vocabularySize) {
      result = file
    } else {
      result = usualPreset.configuration(vocabularySize: vocabularySize)
      result.recipe.length = min(result.recipe.length, dataLength)
      if let steps { result.recipe.shorten(to: steps) }
    }
    apply(to: &result)
    if let problem = result.numericProblem { throw UsageError(problem) }
    if let sizes = try sizes(result.recipe.task) { result.model = sizes }
    task.apply(to: &result.model, result.recipe.task)
    if result.recipe.slices == 0 {
      let recipe = result.recipe
      result.recipe.slices = ReductionTree.usualSliceCount(
        batch: recipe.batchSize, tokens: recipe.batchSize * recipe.length, workers: workers)
    }
    try Self.check(result)
    return result
  }

  /// The preset that a new run takes where no file is given.
  var usualPreset: Preset { preset ?? .small }

  /// That of `--config`, for a vocabulary of this size; nil where it is not given.
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

  /// Sets what the options name.
  func apply(to configuration: inout PretrainingConfiguration) {
    task.apply(to: &configuration.recipe)
    if let steps { configuration.recipe.steps = steps }
    if let batch { configuration.recipe.batchSize = batch }
    if let length { configuration.recipe.length = length }
    if let learningRate { configuration.recipe.learningRate = learningRate }
    if let warmup { configuration.recipe.warmupSteps = warmup }
    if let slices { configuration.recipe.slices = slices }
    if let microBatch { configuration.recipe.microBatchTokens = microBatch }
    if wholeWords { configuration.recipe.masksWholeWords = true }
    if let seed { configuration.recipe.seed = seed }
  }

  static func check(_ configuration: PretrainingConfiguration) throws {
    if let problem = configuration.problem { throw UsageError(problem) }
    let recipe = configuration.recipe
    guard recipe.slices > 0, recipe.slices & (recipe.slices - 1) == 0 else {
      throw UsageError("--slices \(recipe.slices) is not a power of two")
    }
    guard recipe.batchSize % recipe.slices == 0 else {
      throw UsageError(
        "--batch \(recipe.batchSize) cannot be cut into \(recipe.slices) equal slices; give a "
          + "multiple of \(recipe.slices), or fewer --slices")
    }
  }
}

extension Preset: ExpressibleByArgument {}
