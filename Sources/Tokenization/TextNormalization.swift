/// The options of BERT's text normalisation.
///
/// Text is always split at white space and around punctuation. The JSON keys are those of Hugging
/// Face's `tokenizer_config.json`.
package struct TextNormalization: Sendable, Codable, Equatable {
  /// Whether characters are lower-cased, each one independently of context and language.
  package var lowercase: Bool
  /// Whether text is decomposed (NFD) and nonspacing marks are removed.
  package var stripAccents: Bool
  /// Whether control characters, NUL and U+FFFD are removed.
  package var cleansText: Bool
  /// Whether each ideograph becomes a separate word.
  package var separatesIdeographs: Bool
  /// Other normalizers, which are applied to the whole text first, in this order.
  package var normalizers: [Normalizer]

  package init(
    lowercase: Bool, stripAccents: Bool, cleansText: Bool = true, separatesIdeographs: Bool = true,
    normalizers: [Normalizer] = []
  ) {
    self.lowercase = lowercase
    self.stripAccents = stripAccents
    self.cleansText = cleansText
    self.separatesIdeographs = separatesIdeographs
    self.normalizers = normalizers
  }

  /// Lower case without accents, as in BERT's uncased models.
  package static let uncased = TextNormalization(lowercase: true, stripAccents: true)
  /// Case and accents are kept, as in BERT's cased models.
  package static let cased = TextNormalization(lowercase: false, stripAccents: false)
  /// Lower case with accents.
  package static let keepAccents = TextNormalization(lowercase: true, stripAccents: false)

  /// Decodes the options; missing keys have the defaults of transformers.
  ///
  /// Text is lower-cased by default, and accents are stripped by default exactly if it is.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    lowercase = try values.decodeIfPresent(Bool.self, forKey: .lowercase) ?? true
    stripAccents = try values.decodeIfPresent(Bool.self, forKey: .stripAccents) ?? lowercase
    cleansText = try values.decodeIfPresent(Bool.self, forKey: .cleansText) ?? true
    separatesIdeographs =
      try values.decodeIfPresent(Bool.self, forKey: .separatesIdeographs) ?? true
    normalizers = try values.decodeIfPresent([Normalizer].self, forKey: .normalizers) ?? []
  }

  /// Encodes the options; the last three keys are written only where they differ from the default.
  ///
  /// So the files of runs that predate these keys keep their bytes.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(lowercase, forKey: .lowercase)
    try values.encode(stripAccents, forKey: .stripAccents)
    if !cleansText { try values.encode(false, forKey: .cleansText) }
    if !separatesIdeographs { try values.encode(false, forKey: .separatesIdeographs) }
    if !normalizers.isEmpty { try values.encode(normalizers, forKey: .normalizers) }
  }

  private enum CodingKeys: String, CodingKey {
    case lowercase = "do_lower_case"
    case stripAccents = "strip_accents"
    case cleansText = "clean_text"
    case separatesIdeographs = "tokenize_chinese_chars"
    case normalizers
  }
}
