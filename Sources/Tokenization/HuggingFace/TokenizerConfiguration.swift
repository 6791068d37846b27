import Foundation

/// The tokenizer configuration of a model folder, except the vocabulary.
///
/// It is read from `tokenizer_config.json` and, as in transformers, from `config.json` and
/// `special_tokens_map.json`. Missing keys have the defaults of transformers; keys that cannot
/// change an id are ignored.
struct TokenizerConfiguration {
  let path: String
  /// The normalisation of BERT's classes; for other classes `tokenizer.json` specifies it.
  let normalization: TextNormalization
  /// Whether the class is one of BERT's; a generic class is defined by `tokenizer.json`.
  let isBERT: Bool
  /// The tokens of `added_tokens_decoder`, which have ids.
  let listed: [TokenDescription]
  /// The special tokens that the files name.
  let named: [TokenDescription]
  /// Names under nonstandard keys that end in `_token`; only transformers 5 treats them as special.
  let newlyNamed: [String]
  /// Whether `tokenizer_config.json` lists the added tokens; transformers 5 then reads no other
  /// list.
  let hasList: Bool

  /// The configuration of a `tokenizer.json` without any other file, at `path`.
  init(only path: String) {
    self.path = path
    (normalization, isBERT, hasList) = (.uncased, false, false)
    (listed, named, newlyNamed) = ([], [], [])
  }

  /// Reads the configuration; without any files it is that of BERT uncased.
  init(folder: String) throws(TokenizationError) {
    let reader = ConfigurationReader(folder: folder)
    let path = reader.path("tokenizer_config.json")
    self.path = path
    var fields = try reader.object("tokenizer_config.json") ?? [:]
    try Self.expectKnown(fields, path)
    isBERT = try Self.isBERT(fields, try reader.object("config.json") ?? [:], folder)
    normalization = try Self.normalization(fields, path)
    hasList = fields["added_tokens_decoder"] != nil
    if let list = fields["added_tokens_decoder"] as? [String: Any] {
      listed = try list.map { id, value throws(TokenizationError) in
        guard let id = Int(id), let token = TokenDescription(value, id: id, isSpecial: false) else {
          throw .unsupported(path: path, reason: "added_tokens_decoder has no token at id \(id)")
        }
        return token
      }
    } else {
      let map = try reader.object("special_tokens_map.json") ?? [:]
      fields.merge(map) { $1 }
      listed = []
    }
    named = try Self.named(fields, isBERT: isBERT, path)
    newlyNamed = fields.compactMap { key, value in
      key.hasSuffix("_token") && !Self.nameKeys.contains(key) ? value as? String : nil
    }
  }

  /// Throws `unsupported` for keys that change ids and are not implemented.
  private static func expectKnown(
    _ fields: [String: Any], _ path: String
  ) throws(TokenizationError) {
    func refuse(_ reason: String) -> TokenizationError { .unsupported(path: path, reason: reason) }
    if fields["split_special_tokens"] as? Bool == true {
      throw refuse("split_special_tokens is true, which is not supported")
    }
    if let files = fields["fast_tokenizer_files"] as? [String], files != ["tokenizer.json"] {
      throw refuse("fast_tokenizer_files names several files; only tokenizer.json is supported")
    }
    if let inputs = fields["init_inputs"] as? [Any], !inputs.isEmpty {
      throw refuse("init_inputs is not empty, which is not supported")
    }
  }

  /// The classes that split text as BERT does; they share their code.
  private static let classesOfBERT = [
    "BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer", "MobileBertTokenizer",
  ]
  /// The classes that are defined by `tokenizer.json`.
  private static let genericClasses = [
    "PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend",
  ]
  /// The model types whose default tokenizer is BERT's.
  private static let modelsOfBERT = ["bert", "electra", "distilbert", "mobilebert"]

  /// Whether the tokenizer's class is one of BERT's.
  ///
  /// As transformers does, it looks in `tokenizer_config.json`, then in `config.json`, then at the
  /// type of the model. Throws `unsupported` for other classes and types.
  private static func isBERT(
    _ fields: [String: Any], _ model: [String: Any], _ folder: String
  ) throws(TokenizationError) -> Bool {
    for (file, values) in [("tokenizer_config.json", fields), ("config.json", model)] {
      let path = folder + "/" + file
      if let map = values["auto_map"] {
        if !(map is [String: Any]) || (map as? [String: Any])?["AutoTokenizer"] != nil {
          throw .unsupported(path: path, reason: "auto_map specifies Python code as the tokenizer")
        }
      }
      if let name = values["tokenizer_class"] as? String {
        if classesOfBERT.flatMap({ [$0, $0 + "Fast"] }).contains(name) { return true }
        if genericClasses.contains(name) { return false }
        throw .unsupported(
          path: path, reason: "tokenizer_class is \(name); only BERT's is supported")
      }
    }
    if let type = model["model_type"] as? String, !modelsOfBERT.contains(type) {
      throw .unsupported(
        path: folder + "/config.json",
        reason: "a model of type \(type) has no BERT tokenizer; only BERT's is supported")
    }
    return true
  }

  private static func normalization(
    _ fields: [String: Any], _ path: String
  ) throws(TokenizationError) -> TextNormalization {
    func flag(_ key: String) throws(TokenizationError) -> Bool? {
      guard let value = fields[key], !(value is NSNull) else { return nil }
      guard let flag = value as? Bool else {
        throw .unsupported(path: path, reason: "\(key) is not true or false")
      }
      return flag
    }
    let lowercase = try flag("do_lower_case") ?? true
    return TextNormalization(
      lowercase: lowercase, stripAccents: try flag("strip_accents") ?? lowercase,
      separatesIdeographs: try flag("tokenize_chinese_chars") ?? true)
  }

  /// The keys of single special tokens, those of `SpecialTokens.names` first.
  private static let nameKeys = [
    "pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token",
  ]

  /// The special tokens in `fields`; for BERT's classes, the five standard ones are the defaults.
  private static func named(
    _ fields: [String: Any], isBERT: Bool, _ path: String
  ) throws(TokenizationError) -> [TokenDescription] {
    var tokens: [TokenDescription] = []
    func read(_ value: Any?, of key: String) throws(TokenizationError) -> TokenDescription? {
      if value == nil || value is NSNull { return nil }
      guard let token = TokenDescription(value) else {
        throw .unsupported(path: path, reason: "\(key) is not a token")
      }
      return token
    }
    for (key, name) in zip(nameKeys, SpecialTokens.names) {
      guard let token = try read(fields[key] ?? (isBERT ? name : nil), of: key) else { continue }
      guard token.name.utf8.elementsEqual(name.utf8) else {
        throw .unsupported(
          path: path, reason: "\(key) is \(token.name); only \(name) is supported")
      }
      tokens.append(token)
    }
    for key in nameKeys.suffix(2) {
      if let token = try read(fields[key], of: key) { tokens.append(token) }
    }
    for key in ["additional_special_tokens", "extra_special_tokens"] {
      let values =
        (fields[key] as? [String: Any]).map { Array($0.values) } ?? fields[key] as? [Any] ?? []
      for value in values {
        if let token = try read(value, of: key) { tokens.append(token) }
      }
    }
    return tokens
  }
}

/// Reads the JSON configuration files of a folder.
struct ConfigurationReader {
  let folder: String

  func path(_ name: String) -> String { folder + "/" + name }

  /// The bytes of the file at `path`; nil if there is no such file.
  ///
  /// Throws `unsupported` for a file that cannot be read: without it the ids could differ.
  static func contents(of path: String) throws(TokenizationError) -> Data? {
    if let data = FileManager.default.contents(atPath: path) { return data }
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    throw .unsupported(path: path, reason: "the file cannot be read; check its permissions")
  }

  /// The object in the file `name`; nil if there is no such file.
  func object(_ name: String) throws(TokenizationError) -> [String: Any]? {
    guard let data = try Self.contents(of: path(name)) else { return nil }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .unsupported(path: path(name), reason: "it is not a JSON object")
    }
    return object
  }
}
