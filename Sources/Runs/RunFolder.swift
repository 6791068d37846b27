import Electra
import Foundation
import Models
import Platform
import Training

/// The folder of a run, on rank zero; the other ranks write only their heartbeats there.
package struct RunFolder {
  let path: String

  package init(path: String) { self.path = path }

  var configurationPath: String { path + "/config.json" }

  /// The configuration of the existing run; nil where there is none.
  ///
  /// Throws `UsageError` where the folder holds other files, `TextError` for a file that is
  /// damaged or has invalid values.
  package func existingConfiguration() throws -> PretrainingConfiguration? {
    guard let data = FileManager.default.contents(atPath: configurationPath) else {
      let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      // A start that was interrupted before it wrote the configuration leaves these.
      let known: Set = ["log.txt", "heartbeats", RunStart.fileName]
      let unfinished = ["config.json", "finetuning.json", RunStart.fileName]
        .map { $0 + ".partial-" }
      let others = entries.filter { entry in
        !entry.hasPrefix(".") && !known.contains(entry)
          && !unfinished.contains { entry.hasPrefix($0) }
      }
      if !others.isEmpty {
        throw UsageError(
          "\(path) is not empty and has no config.json; choose another --output")
      }
      return nil
    }
    let existing = try decodeJSON(PretrainingConfiguration.self, data, from: configurationPath)
    // Options are compared with these values, and computations with invalid ones trap.
    if let problem = existing.problem ?? existing.recipe.sliceProblem {
      throw TextError.unusable(path: configurationPath, reason: problem)
    }
    return existing
  }

  /// Creates the folder, unless it exists.
  package func make() throws { try Folder.make(path) }

  /// Writes the run's configuration.
  package func write(_ configuration: PretrainingConfiguration) throws {
    try AtomicFile.write(configuration.jsonDocument(), to: configurationPath, replacing: true)
  }
}
