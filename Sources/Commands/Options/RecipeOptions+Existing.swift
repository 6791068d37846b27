import Electra
import Foundation
import Models
import Runs
import Training

// The check of the options against an existing run: nothing that affects the result of a run may
// change within it. Omitted options keep the values of the run.
extension RecipeOptions {
  /// Checks that the given options agree with the run.
  ///
  /// `start` is the record of the first start; nil for a run of an earlier version.
  /// `hasInitialModel` says that the sizes come from a model of `--init-from`. With a next phase,
  /// the options may also be those of the first phase. Throws a `UsageError` that names every
  /// difference.
  func expectSame(
    _ existing: PretrainingConfiguration, start: RunStart?, hasInitialModel: Bool,
    isNextPhase: Bool
  ) throws {
    let phases = isNextPhase ? existing.earlierPhases.prefix(1).map(\.recipe) : []
    let differences = try ([existing.recipe] + phases).map { recipe in
      var phase = existing
      phase.recipe = recipe
      return try self.differences(from: phase, hasInitialModel: hasInitialModel)
    }
    let changes = differences.contains(where: \.isEmpty) ? [] : differences[0]
    let list = [presetDifference(existing, start)].compactMap(\.self) + changes
    guard !list.isEmpty else { return }
    throw UsageError(
      "the run exists with another recipe: \(list.joined(separator: ", ")); omit the options to "
        + "resume it, or choose another --output")
  }

  /// The settings of the run that the options change, one clause each.
  private func differences(
    from existing: PretrainingConfiguration, hasInitialModel: Bool
  ) throws -> [String] {
    var changed = existing
    if let file = try fileConfiguration(vocabularySize: existing.model.vocabularySize) {
      if !hasInitialModel { changed.model = file.model }
      (changed.recipe, changed.arithmetic) = (file.recipe, file.arithmetic)
      (changed.exchange, changed.exchangeLevel) = (file.exchange, file.exchangeLevel)
      if file.recipe.slices == 0 { changed.recipe.slices = existing.recipe.slices }
    }
    apply(to: &changed)
    if changed.exchange == existing.exchange, changed.exchangeLevel == nil {
      changed.exchangeLevel = existing.exchangeLevel
    }
    objective.apply(to: &changed.model, changed.recipe.task)
    let (old, new) = (existing.fields, changed.fields)
    return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map { key in
      let option = Self.options[key] ?? "\(key) of \(config ?? "the configuration")"
      return "\(option) is \(old[key] ?? "absent") there and \(new[key] ?? "absent") here"
    }
  }

  /// The difference between `--preset` and the preset of the first start; nil if there is none.
  ///
  /// A run of an earlier version has no record of its preset: there the discriminator's size
  /// decides.
  private func presetDifference(
    _ existing: PretrainingConfiguration, _ start: RunStart?
  ) -> String? {
    guard let preset else { return nil }
    let names: [String]
    if let start {
      names = [start.preset ?? "a file of --config"]
    } else {
      names = Preset.allCases.filter {
        $0.configuration(vocabularySize: 1).model.discriminator == existing.model.discriminator
      }.map(\.rawValue)
    }
    guard let first = names.first, !names.contains(preset.rawValue) else { return nil }
    return "--preset is \(first) there and \(preset.rawValue) here"
  }

  /// The option for each key of `config.json`.
  private static let options = [
    "objective": "--objective", "generator_kind": "--generator",
    "generator hidden_size": "--generator-width",
    "generator num_hidden_layers": "--generator-depth", "weight_sharing": "--weight-sharing",
    "training": "--training", "mask_prob": "--mask-fraction", "temperature": "--temperature",
    "disc_weight": "--discriminator-weight", "disc_weight_ramp": "--discriminator-ramp",
    "replace_prob": "--replace-fraction", "disallow_correct": "--disallow-correct",
    "mask_with_replacement": "--mask-with-replacement", "num_train_steps": "--steps",
    "train_batch_size": "--batch", "max_seq_length": "--length",
    "learning_rate": "--learning-rate", "num_warmup_steps": "--warmup",
    "optimizer": "--optimizer", "muon_rate": "--muon-rate", "slices": "--slices",
    "micro_batch_tokens": "--micro-batch", "mask_whole_words": "--whole-words", "seed": "--seed",
    "arithmetic": "--arithmetic", "exchange": "--exchange", "exchange_level": "--exchange-level",
  ]
}
