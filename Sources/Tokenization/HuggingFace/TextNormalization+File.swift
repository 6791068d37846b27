import Foundation
import Platform

// The normalizer of a `tokenizer.json`: BERT's, others before it, or a sequence of them.
extension TextNormalization {
  /// Reads the value of the key `normalizer`; null is no normalisation.
  ///
  /// `path` is the file. Throws `unsupported` for other normalizers, and for BERT's before another.
  init(file value: Any?, _ path: String) throws(TokenizationError) {
    self.init(
      lowercase: false, stripAccents: false, cleansText: false, separatesIdeographs: false)
    var isComplete = false
    guard let value, !(value is NSNull) else { return }
    for fields in try Self.parts(value, path) {
      let type = fields["type"] as? String ?? "null"
      if isComplete {
        throw .unsupported(
          path: path, reason: "its normalizer has \(type) after BertNormalizer, which must be last")
      }
      if let normalizer = Normalizer(rawValue: type) {
        normalizers.append(normalizer)
      } else if type == "BertNormalizer" {
        setOptions(fields)
        isComplete = true
      } else {
        let names = Normalizer.allCases.map(\.rawValue).joined(separator: ", ")
        throw .unsupported(
          path: path,
          reason: "its normalizer has \(type); only BertNormalizer, \(names) are supported")
      }
    }
  }

  /// The normalizers of a sequence, in order; those of sequences in it are inserted.
  private static func parts(
    _ value: Any, _ path: String
  ) throws(TokenizationError) -> [[String: Any]] {
    guard let fields = value as? [String: Any] else {
      throw .unsupported(path: path, reason: "its normalizer is not an object")
    }
    guard fields["type"] as? String == "Sequence" else { return [fields] }
    guard let list = fields["normalizers"] as? [Any] else {
      throw .unsupported(path: path, reason: "its normalizer is a Sequence without normalizers")
    }
    var parts: [[String: Any]] = []
    for part in list { parts += try Self.parts(part, path) }
    return parts
  }

  /// Sets the options of a BertNormalizer.
  private mutating func setOptions(_ fields: [String: Any]) {
    lowercase = fields["lowercase"] as? Bool ?? true
    stripAccents = fields["strip_accents"] as? Bool ?? lowercase
    cleansText = fields["clean_text"] as? Bool ?? true
    separatesIdeographs = fields["handle_chinese_chars"] as? Bool ?? true
  }

  /// The value of the key `normalizer`.
  var fileValue: JSONText {
    let last: JSONText = [
      "type": "BertNormalizer", "clean_text": .flag(cleansText),
      "handle_chinese_chars": .flag(separatesIdeographs), "strip_accents": .flag(stripAccents),
      "lowercase": .flag(lowercase),
    ]
    if normalizers.isEmpty { return last }
    let first = normalizers.map { normalizer -> JSONText in
      ["type": .string(normalizer.rawValue)]
    }
    return ["type": "Sequence", "normalizers": .array(first + [last])]
  }
}
