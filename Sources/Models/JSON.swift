import Foundation

extension Encodable {
  /// As one line of JSON, keys sorted.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

/// Decodes `data`, which came from the file at `path`; the error names the file and the key.
package func decodeJSON<Value: Decodable>(
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
