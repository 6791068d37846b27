import Electra
import Foundation
import Models
import Platform
import Training

/// A run's folder, as rank zero sees it; the other ranks only give their signs of life there.
package struct RunFolder {
  let path: String

  package init(path: String) {
    self.path = path
  }
  var configurationPath: String { path + "/config.json" }

  /// The configuration of the run that is there, nil when there is none yet.
  package func existingConfiguration() throws -> PretrainingConfiguration? {
    guard let data = FileManager.default.contents(atPath: configurationPath) else {
      let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      if entries.contains(where: { !$0.hasPrefix(".") && $0 != "log.txt" && $0 != "heartbeats" }) {
        throw UsageError(
          "\(path) is not empty and holds no config.json; choose another --output")
      }
      return nil
    }
    return try decodeJSON(PretrainingConfiguration.self, data, from: configurationPath)
  }

  /// Makes the folder, unless it is there.
  package func make() throws { try Folder.make(path) }

  /// Writes the run's configuration.
  package func write(_ configuration: PretrainingConfiguration) throws {
    try AtomicFile.write(configuration.jsonDocument(), to: configurationPath, replacing: true)
  }
}
