import Foundation

/// What a model's folder says of its tokenizer beside the vocabulary: `tokenizer_config.json` and,
/// where transformers looks there too, `config.json`, `special_tokens_map.json` and
/// `added_tokens.json`. Keys that a file leaves out have transformers' defaults; keys that cannot
/// change an id are passed over.
struct TokenizerConfiguration {
  let path: String
  /// That of BERT's classes. For others `tokenizer.json` alone decides.
  let normalization: TextNormalization
  /// Whether the class is one of BERT's, and not any that `tokenizer.json` describes.
  let isBERT: Bool
  /// The added tokens, which have ids.
  let listed: [TokenDescription]
  /// The special tokens.
  let named: [TokenDescription]
  /// Names under keys of the model's own, special tokens for transformers 5 alone.
  let newlyNamed: [String]
  /// Whether `tokenizer_config.json` lists all added tokens; transformers 5 then reads no other list.
  let hasList: Bool

  /// BERT's uncased configuration where there are no files.
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

  /// Throws for keys that give other ids and that are not obeyed here.
  private static func expectKnown(
    _ fields: [String: Any], _ path: String
  ) throws(TokenizationError) {
    func refuse(_ reason: String) -> TokenizationError { .unsupported(path: path, reason: reason) }
    if fields["split_special_tokens"] as? Bool == true {
      throw refuse("split_special_tokens is true, and special tokens are always found here")
    }
    if let files = fields["fast_tokenizer_files"] as? [String], files != ["tokenizer.json"] {
      throw refuse("fast_tokenizer_files names several files, and only tokenizer.json is read here")
    }
    if let inputs = fields["init_inputs"] as? [Any], !inputs.isEmpty {
      throw refuse("init_inputs is not empty, and such inputs are not known here")
    }
  }

  /// Those that cut text as BERT's does; MobileBERT's and so on are the same code.
  private static let classesOfBERT = [
    "BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer", "MobileBertTokenizer",
  ]
  /// Those that do what `tokenizer.json` says.
  private static let genericClasses = [
    "PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend",
  ]
  /// The types of models whose tokenizer is BERT's where no class is named.
  private static let modelsOfBERT = ["bert", "electra", "distilbert", "mobilebert"]

  /// Finds the tokenizer's class as transformers does: in `tokenizer_config.json`, in `config.json`, or
  /// by the type of the model.
  private static func isBERT(
    _ fields: [String: Any], _ model: [String: Any], _ folder: String
  ) throws(TokenizationError) -> Bool {
    for (file, values) in [("tokenizer_config.json", fields), ("config.json", model)] {
      let path = folder + "/" + file
      if let map = values["auto_map"] {
        if !(map is [String: Any]) || (map as? [String: Any])?["AutoTokenizer"] != nil {
          throw .unsupported(path: path, reason: "auto_map names Python code as the tokenizer")
        }
      }
      if let name = values["tokenizer_class"] as? String {
        if classesOfBERT.flatMap({ [$0, $0 + "Fast"] }).contains(name) { return true }
        if genericClasses.contains(name) { return false }
        throw .unsupported(
          path: path, reason: "tokenizer_class is \(name), and only BERT's is known here")
      }
    }
    if let type = model["model_type"] as? String, !modelsOfBERT.contains(type) {
      throw .unsupported(
        path: folder + "/config.json",
        reason: "the tokenizer of a model of type \(type) is not BERT's, which alone is known here")
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

  /// The special tokens that `fields` name; those of BERT's classes have names by default.
  private static func named(
    _ fields: [String: Any], isBERT: Bool, _ path: String
  ) throws(TokenizationError) -> [TokenDescription] {
    var tokens: [TokenDescription] = []
    func read(_ value: Any?, of key: String) throws(TokenizationError) -> TokenDescription? {
      if value == nil || value is NSNull { return nil }
      guard let token = TokenDescription(value) else {
        throw .unsupported(path: path, reason: "\(key) is no token")
      }
      return token
    }
    for (key, name) in zip(nameKeys, SpecialTokens.names) {
      guard let token = try read(fields[key] ?? (isBERT ? name : nil), of: key) else { continue }
      guard token.name.utf8.elementsEqual(name.utf8) else {
        throw .unsupported(
          path: path, reason: "\(key) is \(token.name), and only \(name) is read here")
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

/// Reads the small JSON files of a folder.
struct ConfigurationReader {
  let folder: String

  func path(_ name: String) -> String { folder + "/" + name }

  /// The object in the file `name`; nil when there is no such file.
  func object(_ name: String) throws(TokenizationError) -> [String: Any]? {
    guard let data = FileManager.default.contents(atPath: path(name)) else { return nil }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .unsupported(path: path(name), reason: "it is not a JSON object")
    }
    return object
  }
}
