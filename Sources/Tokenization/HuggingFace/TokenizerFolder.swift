import Foundation

extension Tokenizer {
  /// The tokenizer of a model's folder: `vocab.txt`, or `tokenizer.json` where transformers wrote
  /// only that, with the normalisation of `tokenizer_config.json`. Throws `missingFile` when there is
  /// neither, `unsupported` for tokenizers of another kind, and what `Vocabulary` throws.
  package init(folder: String) throws(TokenizationError) {
    let configuration = try TokenizerConfiguration(folder: folder)
    let list = folder + "/vocab.txt"
    if FileManager.default.fileExists(atPath: list) {
      self.init(
        vocabulary: try Vocabulary(contentsOf: list), normalization: configuration.normalization)
    } else if let file = try TokenizerFile(path: folder + "/tokenizer.json") {
      self.init(
        vocabulary: file.vocabulary,
        normalization: file.normalization ?? configuration.normalization)
    } else {
      throw .missingFile(path: list)
    }
  }

  /// The files that make transformers load this tokenizer, by name.
  package func files(maximumLength: Int) throws -> [String: Data] {
    let configuration = TokenizerConfiguration(
      normalization: normalization, maximumLength: maximumLength)
    return [
      "vocab.txt": Data(vocabulary.fileBytes),
      "tokenizer.json": Data(TokenizerFile.text(self).utf8),
      "tokenizer_config.json": try configuration.encoded(),
    ]
  }
}

/// `tokenizer_config.json`. Keys that a file leaves out have transformers' defaults.
private struct TokenizerConfiguration: Codable {
  let normalization: TextNormalization
  let maximumLength: Int

  private enum Key: String, CodingKey {
    case tokenizerClass = "tokenizer_class"
    case spacesIdeographs = "tokenize_chinese_chars"
    case maximumLength = "model_max_length"
    case padding = "pad_token"
    case unknown = "unk_token"
    case classification = "cls_token"
    case separator = "sep_token"
    case mask = "mask_token"
  }

  init(normalization: TextNormalization, maximumLength: Int) {
    self.normalization = normalization
    self.maximumLength = maximumLength
  }

  /// The folder's configuration; BERT's uncased one when there is none.
  init(folder: String) throws(TokenizationError) {
    let path = folder + "/tokenizer_config.json"
    guard let data = FileManager.default.contents(atPath: path) else {
      self.init(normalization: .uncased, maximumLength: 512)
      return
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch DecodingError.dataCorrupted(let context) {
      throw .unsupported(path: path, reason: context.debugDescription)
    } catch {
      throw .unsupported(path: path, reason: "do_lower_case or strip_accents is not true or false")
    }
  }

  /// Those that cut text as BERT's does; the last is any that `tokenizer.json` describes.
  private static let knownClasses = [
    "BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer", "MobileBertTokenizer",
    "PreTrainedTokenizer",
  ]

  init(from decoder: any Decoder) throws {
    normalization = try TextNormalization(from: decoder)
    let values = try decoder.container(keyedBy: Key.self)
    if let name = try values.decodeIfPresent(String.self, forKey: .tokenizerClass),
      !Self.knownClasses.flatMap({ [$0, $0 + "Fast"] }).contains(name)
    {
      throw DecodingError.dataCorruptedError(
        forKey: .tokenizerClass, in: values,
        debugDescription: "tokenizer_class is \(name), and only BERT's way is known here")
    }
    if try values.decodeIfPresent(Bool.self, forKey: .spacesIdeographs) == false {
      throw DecodingError.dataCorruptedError(
        forKey: .spacesIdeographs, in: values,
        debugDescription:
          "tokenize_chinese_chars is false, and spaces around ideographs are always "
          + "set here")
    }
    maximumLength = 512
  }

  func encode(to encoder: any Encoder) throws {
    try normalization.encode(to: encoder)
    var values = encoder.container(keyedBy: Key.self)
    try values.encode("ElectraTokenizer", forKey: .tokenizerClass)
    try values.encode(true, forKey: .spacesIdeographs)
    try values.encode(maximumLength, forKey: .maximumLength)
    let keys: [Key] = [.padding, .unknown, .classification, .separator, .mask]
    for (key, name) in zip(keys, SpecialTokens.names) { try values.encode(name, forKey: key) }
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(self)
  }
}
