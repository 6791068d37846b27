import Electra
import Foundation

extension PretrainingConfiguration {
  /// As JSON, keys sorted.
  package func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(self)
  }

  /// Decodes `data`, which came from the file at `path`.
  package static func read(_ data: Data, from path: String) throws -> PretrainingConfiguration {
    try decodeJSON(Self.self, data, from: path)
  }
}
