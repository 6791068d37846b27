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
/// Settings that are missing keep their value, except that the warm-up is a tenth of the phase, the
/// weight of the discriminator's loss is constant, and another objective has its usual weight.
package struct PhaseFile {
  private let path: String
  private let values: Values

  /// The folder of the phase's data; nil for `--data`.
  package var data: String? { values.data }

  private typealias Recipe = PretrainingConfiguration.Recipe

  /// The settings of a file.
  private struct Values: Decodable {
    var data: String?
    /// The keys of the file.
    var keys: Set<String> = []
    /// The changes of the recipe, in the order of `settings`.
    var changes: [(inout Recipe) -> Void] = []

    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let file = try decoder.container(keyedBy: Key.self)
      keys = Set(file.allKeys.map(\.stringValue))
      data = try file.decodeIfPresent(String.self, forKey: Key(stringValue: "data"))
      // The number of steps is required.
      let wanted = keys.union(["num_train_steps"])
      for (name, change) in PhaseFile.settings where wanted.contains(name) {
        changes.append(try change(file, Key(stringValue: name)))
      }
    }
  }

  /// Reads a setting, and returns the change of a recipe to it.
  private typealias Setting = (
    KeyedDecodingContainer<Values.Key>, Values.Key
  ) throws -> (inout Recipe) -> Void

  /// The settings by their keys, first the objective, which also sets others.
  private static var settings: [(key: String, change: Setting)] {
    func set<Value: Decodable>(_ field: WritableKeyPath<Recipe, Value>) -> Setting {
      { file, key in
        let value = try file.decode(Value.self, forKey: key)
        return { $0[keyPath: field] = value }
      }
    }
    return [
      (
        "objective",
        { file, key in
          let objective = try file.decode(PretrainingTask.Objective.self, forKey: key)
          return { $0.change(to: objective) }
        }
      ),
      ("max_seq_length", set(\.length)), ("train_batch_size", set(\.batchSize)),
      ("slices", set(\.slices)), ("micro_batch_tokens", set(\.microBatchTokens)),
      ("num_train_steps", set(\.steps)), ("num_warmup_steps", set(\.warmupSteps)),
      ("learning_rate", set(\.learningRate)), ("mask_prob", set(\.maskFraction)),
      ("replace_prob", set(\.replacedFraction)), ("disc_weight", set(\.discriminatorWeight)),
      ("disc_weight_ramp", set(\.discriminatorRamp)), ("generator_kind", set(\.task.generator)),
      ("weight_sharing", set(\.task.sharing)), ("temperature", set(\.task.temperature)),
      ("disallow_correct", set(\.task.disallowsCorrect)),
    ]
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
    let known = Set(Self.settings.map(\.key) + ["data"])
    if let unknown = values.keys.sorted().first(where: { !known.contains($0) }) {
      throw UsageError(
        "\(path): unknown key \(unknown); a phase has the keys "
          + known.sorted().joined(separator: ", "))
    }
  }

  /// Makes this phase the current one of `configuration`, unless it is already.
  ///
  /// `stepsDone` are those of the whole run; `data` is the digest of the phase's data. A run that
  /// was branched at `branchStep` has the rest of a schedule from there on, which is no phase of a
  /// file. Throws `UsageError` where the current phase is not finished, where the training scheme
  /// has stages, where disentangled embeddings begin or end, or for a ramp that begins before the
  /// phase.
  package func append(
    to configuration: inout PretrainingConfiguration, stepsDone: Int, data: String,
    branchStep: Int = 0
  ) throws {
    if configuration.data == data, configuration.firstStep > branchStep,
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
    if !values.keys.contains("num_warmup_steps") { recipe.warmupSteps = recipe.steps / 10 }
    if !values.keys.contains("disc_weight_ramp") { recipe.discriminatorRamp = nil }
    if let ramp = recipe.discriminatorRamp, ramp.contains(where: { $0 < 0 }) {
      throw UsageError("\(path): disc_weight_ramp is not two rising fractions from 0 to 1")
    }
    guard recipe.task.isDisentangled == configuration.recipe.task.isDisentangled else {
      throw UsageError(
        "\(path): a phase cannot begin or end the weight sharing disentangled, because the "
          + "discriminator's embeddings and their moments become others; begin a new run with "
          + "--init-from and the folder of this one")
    }
    configuration.append(.init(recipe: recipe, data: data))
  }

  private func applied(to recipe: Recipe) -> Recipe {
    values.changes.reduce(into: recipe) { recipe, change in change(&recipe) }
  }
}
