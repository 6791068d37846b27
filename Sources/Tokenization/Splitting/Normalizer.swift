/// A normalizer of `tokenizers` that a `tokenizer.json` can list beside BERT's; raw values are its
/// names.
package enum Normalizer: String, Sendable, Codable, CaseIterable {
  /// The Unicode normalization forms.
  case nfc = "NFC"
  case nfd = "NFD"
  case nfkc = "NFKC"
  case nfkd = "NFKD"
  /// Lower case, of each character by itself.
  case lowercase = "Lowercase"
  /// Removes all marks (category M), without decomposing characters first.
  case stripAccents = "StripAccents"

  /// Whether a form uses compatibility decompositions; nil for the last two, which are no forms.
  var usesCompatibility: Bool? {
    switch self {
    case .nfc, .nfd: false
    case .nfkc, .nfkd: true
    case .lowercase, .stripAccents: nil
    }
  }

  /// What `lowercase` and `stripAccents` make of a character.
  func replacement(_ codePoint: UInt32) -> [UInt32] {
    guard let scalar = Unicode.Scalar(codePoint) else { return [codePoint] }
    switch self {
    case .lowercase: return CharacterRules.lowercase(scalar).map(\.value)
    case .stripAccents: return CharacterRules.isMark(scalar) ? [] : [codePoint]
    case .nfc, .nfd, .nfkc, .nfkd: return [codePoint]
    }
  }
}
