/// Which of BERT's text normalisations apply; the rest (cleaning, spaces around ideographs, splitting
/// off punctuation) always do. The keys are those of Hugging Face's `tokenizer_config.json`.
package struct TextNormalization: Sendable, Codable, Equatable {
  /// Whether letters are lower-cased, one by one, without regard to context or language.
  package var lowercase: Bool
  /// Whether text is decomposed (NFD) and nonspacing marks are dropped.
  package var stripAccents: Bool

  package init(lowercase: Bool, stripAccents: Bool) {
    self.lowercase = lowercase
    self.stripAccents = stripAccents
  }

  /// Lower case without accents, as BERT's uncased models.
  package static let uncased = TextNormalization(lowercase: true, stripAccents: true)
  /// Text as it stands, as BERT's cased models.
  package static let cased = TextNormalization(lowercase: false, stripAccents: false)
  /// Lower case with accents.
  package static let keepAccents = TextNormalization(lowercase: true, stripAccents: false)

  /// Keys that are absent have transformers' defaults: lower case, and accents go with upper case.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    lowercase = try values.decodeIfPresent(Bool.self, forKey: .lowercase) ?? true
    stripAccents = try values.decodeIfPresent(Bool.self, forKey: .stripAccents) ?? lowercase
  }

  private enum CodingKeys: String, CodingKey {
    case lowercase = "do_lower_case"
    case stripAccents = "strip_accents"
  }
}
