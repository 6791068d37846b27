/// Which of BERT's text normalisations apply; splitting at white space and around punctuation always
/// does. The keys are those of Hugging Face's `tokenizer_config.json`.
package struct TextNormalization: Sendable, Codable, Equatable {
  /// Whether letters are lower-cased, one by one, without regard to context or language.
  package var lowercase: Bool
  /// Whether text is decomposed (NFD) and nonspacing marks are dropped.
  package var stripAccents: Bool
  /// Whether control characters and U+FFFD are dropped.
  package var cleansText: Bool
  /// Whether each ideograph is a word.
  package var separatesIdeographs: Bool

  package init(
    lowercase: Bool, stripAccents: Bool, cleansText: Bool = true, separatesIdeographs: Bool = true
  ) {
    self.lowercase = lowercase
    self.stripAccents = stripAccents
    self.cleansText = cleansText
    self.separatesIdeographs = separatesIdeographs
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
    cleansText = try values.decodeIfPresent(Bool.self, forKey: .cleansText) ?? true
    separatesIdeographs =
      try values.decodeIfPresent(Bool.self, forKey: .separatesIdeographs) ?? true
  }

  /// The last two keys are written only where they differ from the default, so that the files of
  /// runs keep their bytes.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(lowercase, forKey: .lowercase)
    try values.encode(stripAccents, forKey: .stripAccents)
    if !cleansText { try values.encode(false, forKey: .cleansText) }
    if !separatesIdeographs { try values.encode(false, forKey: .separatesIdeographs) }
  }

  private enum CodingKeys: String, CodingKey {
    case lowercase = "do_lower_case"
    case stripAccents = "strip_accents"
    case cleansText = "clean_text"
    case separatesIdeographs = "tokenize_chinese_chars"
  }
}
