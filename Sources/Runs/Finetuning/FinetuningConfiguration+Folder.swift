import Collectives
import Finetuning
import Foundation
import Models
import Platform

extension FinetuningConfiguration {
  /// Copies to `recipe` the settings of an existing fine-tuning that the user did not give again.
  package typealias Keeping = (_ recipe: inout FinetuningRecipe, _ existing: FinetuningRecipe) ->
    Void

  private static func path(_ folder: String) -> String { folder + "/finetuning.json" }

  /// Reads the configuration of the fine-tuning in `folder` and checks that it equals `wanted`.
  ///
  /// - Parameters:
  ///   - folder: of the fine-tuning.
  ///   - wanted: the configuration that the options ask for.
  ///   - keep: copies what the first start fixed and the options omit.
  /// - Returns: the configuration; nil where there is no fine-tuning yet.
  /// - Throws: `UsageError` for another fine-tuning or a run of pre-training; `TextError` for a
  ///   configuration that cannot be used.
  package static func existing(
    in folder: String, like wanted: FinetuningConfiguration, keeping keep: Keeping
  ) throws -> FinetuningConfiguration? {
    guard let data = FileManager.default.contents(atPath: path(folder)) else {
      guard try RunFolder(path: folder).existingConfiguration() == nil else {
        throw UsageError("\(folder) contains a run of pretrain; choose another --output")
      }
      return nil
    }
    let existing = try decodeJSON(FinetuningConfiguration.self, data, from: path(folder))
    if let problem = existing.problem {
      throw TextError.unusable(path: path(folder), reason: problem)
    }
    var wanted = wanted
    keep(&wanted.recipe, existing.recipe)
    if existing.newParameters == nil { wanted.newParameters = nil }
    if let differences = try wanted.differences(from: existing) {
      throw UsageError(
        "\(folder) contains another fine-tuning: \(differences); choose another --output")
    }
    return existing
  }

  /// Creates and locks `folder`, and writes this configuration unless a fine-tuning exists there.
  ///
  /// Every rank must call it; all get the configuration of rank zero.
  ///
  /// - Parameters:
  ///   - folder: of the fine-tuning.
  ///   - keep: as in `existing`.
  ///   - world: all ranks.
  ///   - lock: locks the folder once it exists; called on rank zero.
  /// - Returns: the existing configuration, or this one.
  /// - Throws: as `existing`; an error of the files.
  package func settled(
    in folder: String, keeping keep: Keeping, _ world: Communicator,
    lock: (_ folder: String) throws -> Void
  ) throws -> FinetuningConfiguration {
    try world.broadcast {
      try RunFolder(path: folder).make()
      try lock(folder)
      if let existing = try Self.existing(in: folder, like: self, keeping: keep) {
        return existing
      }
      try AtomicFile.write(jsonDocument(), to: Self.path(folder), replacing: true)
      return self
    }
  }
}
