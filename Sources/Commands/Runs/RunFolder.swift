import Electra
import Foundation
import Platform
import Training

/// A run's folder, as rank zero sees it; the other ranks only give their signs of life there.
struct RunFolder {
  let path: String
  var configurationPath: String { path + "/config.json" }

  /// The configuration of the run that is there, nil when there is none yet.
  func existingConfiguration() throws -> PretrainingConfiguration? {
    guard let data = FileManager.default.contents(atPath: configurationPath) else {
      let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      if entries.contains(where: { !$0.hasPrefix(".") && $0 != "log.txt" && $0 != "heartbeats" }) {
        throw UsageError(
          "\(path) is not empty and holds no config.json; choose another --output")
      }
      return nil
    }
    return try PretrainingConfiguration.read(data, from: configurationPath)
  }

  /// Makes the folder, unless it is there.
  func make() throws {
    try Folder.make(path)
  }

  /// Writes the run's configuration.
  func write(_ configuration: PretrainingConfiguration) throws {
    try AtomicFile.write(configuration.encoded(), to: configurationPath, replacing: true)
  }
}

extension PretrainingConfiguration {
  /// As JSON, keys sorted.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(self)
  }

  /// Decodes `data`, which came from the file at `path`.
  static func read(_ data: Data, from path: String) throws -> PretrainingConfiguration {
    try decodeJSON(Self.self, data, from: path)
  }
}

/// Decodes `data`, which came from the file at `path`; the error names the file and the key.
func decodeJSON<Value: Decodable>(
  _ type: Value.Type, _ data: Data, from path: String
) throws -> Value {
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch DecodingError.keyNotFound(let key, _) {
    throw ModelError.unusable(path: path, reason: "the key \(key.stringValue) is missing")
  } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
    DecodingError.dataCorrupted(let context)
  {
    let key = context.codingPath.map(\.stringValue).joined(separator: ".")
    throw ModelError.unusable(
      path: path, reason: (key.isEmpty ? "" : key + ": ") + context.debugDescription)
  }
}
