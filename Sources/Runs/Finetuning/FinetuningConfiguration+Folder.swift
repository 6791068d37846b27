import Collectives
import Finetuning
import Foundation
import Models
import Platform

extension FinetuningConfiguration {
  private static func path(_ folder: String) -> String { folder + "/finetuning.json" }

  /// The configuration of the fine-tuning that `folder` holds, after a check that it equals `wanted`.
  ///
  /// - Parameters:
  ///   - folder: of the fine-tuning.
  ///   - wanted: what the user asks for.
  ///   - choosesSlices: whether the user gave a number of slices; else that of the first start stays.
  /// - Returns: nil where there is no fine-tuning yet.
  /// - Throws: `UsageError` where the folder holds something else.
  package static func existing(
    in folder: String, like wanted: FinetuningConfiguration, choosesSlices: Bool
  ) throws -> FinetuningConfiguration? {
    guard let data = FileManager.default.contents(atPath: path(folder)) else {
      guard try RunFolder(path: folder).existingConfiguration() == nil else {
        throw UsageError("\(folder) holds a run of pretrain; choose another --output")
      }
      return nil
    }
    let existing = try decodeJSON(FinetuningConfiguration.self, data, from: path(folder))
    var wanted = wanted
    if !choosesSlices { wanted.recipe.slices = existing.recipe.slices }
    if let differences = try wanted.differences(from: existing) {
      throw UsageError(
        "\(folder) holds another fine-tuning: \(differences); choose another --output")
    }
    return existing
  }

  /// Locks `folder`, and returns the configuration that it holds, or this one, which is then written.
  ///
  /// Every rank must call it; rank zero's configuration is that of all.
  ///
  /// - Parameters:
  ///   - folder: of the fine-tuning; it is made.
  ///   - choosesSlices: whether the user gave a number of slices.
  ///   - world: all ranks.
  ///   - lock: locks the folder once it exists.
  /// - Returns: the configuration of this fine-tuning.
  /// - Throws: as `existing`; an error of the files.
  package func settled(
    in folder: String, choosesSlices: Bool, _ world: Communicator,
    lock: (_ folder: String) throws -> Void
  ) throws -> FinetuningConfiguration {
    let settled: FinetuningConfiguration? = try world.agree {
      guard world.rank == 0 else { return nil }
      try RunFolder(path: folder).make()
      try lock(folder)
      if let existing = try Self.existing(in: folder, like: self, choosesSlices: choosesSlices) {
        return existing
      }
      try AtomicFile.write(encoded(), to: Self.path(folder), replacing: true)
      return self
    }
    let bytes = try world.broadcast(settled.map { Array(try $0.encoded()) } ?? [])
    return try decodeJSON(FinetuningConfiguration.self, Data(bytes), from: folder)
  }
}
