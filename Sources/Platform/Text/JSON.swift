import Foundation

// JSON for files and output. Keys are sorted, so that equal values give equal bytes.

extension Encodable {
  /// The value as one line of JSON with sorted keys; throws for non-finite numbers.
  package func json() throws -> String {
    String(decoding: try jsonEncoder([]).encode(self), as: UTF8.self)
  }

  /// The value as indented JSON with sorted keys, without a final newline.
  package func jsonDocument() throws -> Data { try jsonEncoder(.prettyPrinted).encode(self) }
}

private func jsonEncoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [formatting, .sortedKeys, .withoutEscapingSlashes]
  return encoder
}

/// Decodes `data`, the contents of the file at `path`.
///
/// Throws `TextError.unusable`, which names the file and the key. Unknown keys are ignored.
package func decodeJSON<Value: Decodable>(
  _ type: Value.Type, _ data: Data, from path: String
) throws -> Value {
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch DecodingError.keyNotFound(let key, _) {
    throw TextError.unusable(path: path, reason: "the key \(key.stringValue) is missing")
  } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
    DecodingError.dataCorrupted(let context)
  {
    let key = context.codingPath.map(\.stringValue).joined(separator: ".")
    throw TextError.unusable(
      path: path, reason: (key.isEmpty ? "" : key + ": ") + context.debugDescription)
  }
}
