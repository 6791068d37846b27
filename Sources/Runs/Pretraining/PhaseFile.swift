import Electra
import Foundation
import Models
import Platform

/// The next phase of a run, from a file that the user writes (`--next-phase`).
///
/// The keys are those of `config.json`:
///
///     {"data": "data-512", "max_seq_length": 512, "train_batch_size": 64,
///      "num_train_steps": 10000, "learning_rate": 1e-4}
///
/// Settings that are missing keep their value, except the warm-up, which is a tenth of the phase.
package struct PhaseFile {
  private let path: String
  private let values: Values

  /// The folder of the phase's data; nil for `--data`.
  package var data: String? { values.data }

  private struct Values: Decodable {
    var data: String?
    var length: Int?
    var batchSize: Int?
    var slices: Int?
    var microBatchTokens: Int?
    var steps: Int
    var warmupSteps: Int?
    var learningRate: Double?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case data
      case length = "max_seq_length"
      case batchSize = "train_batch_size"
      case slices
      case microBatchTokens = "micro_batch_tokens"
      case steps = "num_train_steps"
      case warmupSteps = "num_warmup_steps"
      case learningRate = "learning_rate"
    }
  }

  /// Reads the file at `path`.
  ///
  /// Throws `UsageError` for a missing file or an unknown key, `TextError` for other mistakes.
  package init(path: String) throws {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw UsageError("there is no file \(path) with the next phase")
    }
    self.path = path
    values = try decodeJSON(Values.self, bytes, from: path)
    let known = Set(Values.CodingKeys.allCases.map(\.rawValue))
    let keys = (try? JSONSerialization.jsonObject(with: bytes) as? [String: Any])?.keys.sorted()
    if let unknown = keys?.first(where: { !known.contains($0) }) {
      throw UsageError(
        "\(path): unknown key \(unknown); a phase has the keys "
          + known.sorted().joined(separator: ", "))
    }
  }

  /// Makes this phase the current one of `configuration`, unless it is already.
  ///
  /// `stepsDone` are those of the whole run; `data` is the digest of the phase's data. Throws
  /// `UsageError` where the current phase is not finished, or the training scheme has stages.
  package func append(
    to configuration: inout PretrainingConfiguration, stepsDone: Int, data: String
  ) throws {
    if configuration.data == data, !configuration.earlierPhases.isEmpty,
      applied(to: configuration.recipe) == configuration.recipe
    {
      return
    }
    guard stepsDone == configuration.steps else {
      throw UsageError(
        "the run has done \(stepsDone.grouped) of \(configuration.steps.grouped) steps; it must "
          + "finish the current phase before that of \(path) begins")
    }
    guard !configuration.recipe.task.scheme.hasStages else {
      throw UsageError(
        "a run with two training stages cannot have a next phase; begin a new run with --init-from "
          + "and its folder")
    }
    var recipe = applied(to: configuration.recipe)
    if values.warmupSteps == nil { recipe.warmupSteps = recipe.steps / 10 }
    configuration.append(.init(recipe: recipe, data: data))
  }

  private func applied(
    to recipe: PretrainingConfiguration.Recipe
  ) -> PretrainingConfiguration.Recipe {
    var result = recipe
    result.steps = values.steps
    if let length = values.length { result.length = length }
    if let batchSize = values.batchSize { result.batchSize = batchSize }
    if let slices = values.slices { result.slices = slices }
    if let tokens = values.microBatchTokens { result.microBatchTokens = tokens }
    if let steps = values.warmupSteps { result.warmupSteps = steps }
    if let rate = values.learningRate { result.learningRate = rate }
    return result
  }
}
