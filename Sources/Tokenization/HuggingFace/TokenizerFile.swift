import Foundation

/// `tokenizer.json`, the file of Hugging Face's `tokenizers`: a WordPiece tokenizer that splits text
/// as BERT's does. Anything else that could give other ids is refused.
struct TokenizerFile {
  let path: String
  /// The pieces of words in the order of their ids.
  let tokens: [String]
  let normalization: TextNormalization
  /// The longest word, in characters, that is looked up.
  let maximumCharacters: Int
  let added: [TokenDescription]

  /// Nil when there is no such file.
  init?(path: String) throws(TokenizationError) {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    guard let file = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let model = file["model"] as? [String: Any], let known = model["vocab"] as? [String: Any]
    else { throw .unsupported(path: path, reason: "it is not a tokenizer with a vocabulary") }
    self.path = path
    try Self.expect(model, path)
    try Self.expect(file["normalizer"], "BertNormalizer", "normalizer", path)
    try Self.expect(file["pre_tokenizer"], "BertPreTokenizer", "pre_tokenizer", path)
    tokens = try Self.tokens(data, path: path)
    guard tokens.count >= known.count else {
      throw .unsupported(path: path, reason: "an id of its vocabulary is not a whole number")
    }
    normalization = Self.normalization(file["normalizer"] as? [String: Any] ?? [:])
    maximumCharacters = try Self.maximumCharacters(model, path)
    added = try (file["added_tokens"] as? [Any] ?? []).map { value throws(TokenizationError) in
      guard let token = TokenDescription(value, isSpecial: false), token.id != nil else {
        throw .unsupported(path: path, reason: "added_tokens holds one without content or id")
      }
      return token
    }
    guard PostProcessor(file["post_processor"]).isBERT else {
      throw .unsupported(
        path: path,
        reason: "its post_processor does not make [CLS] A [SEP] of a text and "
          + "[CLS] A [SEP] B [SEP], with two segments, of a pair")
    }
  }

  /// Throws `unsupported` unless the model is WordPiece with the usual names.
  private static func expect(_ model: [String: Any], _ path: String) throws(TokenizationError) {
    if let type = model["type"] as? String, type != "WordPiece" {
      throw .unsupported(
        path: path, reason: "its model is \(type), and only WordPiece is read here")
    }
    if let prefix = model["continuing_subword_prefix"] as? String, prefix != "##" {
      throw .unsupported(
        path: path,
        reason: "its continuing_subword_prefix is \(prefix), and only ## is read here")
    }
    if let unknown = model["unk_token"] as? String, unknown != "[UNK]" {
      throw .unsupported(
        path: path, reason: "its unk_token is \(unknown), and only [UNK] is read here")
    }
  }

  /// Throws `unsupported` unless a part of the tokenizer is of this type.
  private static func expect(
    _ part: Any?, _ type: String, _ name: String, _ path: String
  ) throws(TokenizationError) {
    let found = (part as? [String: Any])?["type"] as? String ?? "null"
    guard found != type else { return }
    throw .unsupported(path: path, reason: "its \(name) is \(found), and only \(type) is read here")
  }

  private static func normalization(_ fields: [String: Any]) -> TextNormalization {
    let lowercase = fields["lowercase"] as? Bool ?? true
    return TextNormalization(
      lowercase: lowercase, stripAccents: fields["strip_accents"] as? Bool ?? lowercase,
      cleansText: fields["clean_text"] as? Bool ?? true,
      separatesIdeographs: fields["handle_chinese_chars"] as? Bool ?? true)
  }

  private static func maximumCharacters(
    _ model: [String: Any], _ path: String
  ) throws(TokenizationError) -> Int {
    guard let value = model["max_input_chars_per_word"] else { return WordBuffer.maximumCharacters }
    guard let count = value as? Int, (0...WordBuffer.maximumCharacters).contains(count) else {
      throw .unsupported(
        path: path,
        reason: "its max_input_chars_per_word is \(value), and only 0 to "
          + "\(WordBuffer.maximumCharacters) are read here")
    }
    return count
  }

  /// The keys of the object `vocab`, in the order of their numbers.
  private static func tokens(_ data: Data, path: String) throws(TokenizationError) -> [String] {
    var scanner = ObjectScanner(data)
    guard scanner.skip(intoObject: "vocab") else {
      throw .unsupported(path: path, reason: "it has no vocabulary")
    }
    var tokens: [Int: String] = [:]
    while let (token, id) = scanner.next() {
      if let other = tokens.updateValue(token, forKey: id) {
        throw .unsupported(path: path, reason: "\(other) and \(token) have the same id \(id)")
      }
    }
    return try (0..<tokens.count).map { id throws(TokenizationError) in
      guard let token = tokens[id] else {
        throw .unsupported(path: path, reason: "of \(tokens.count) tokens none has the id \(id)")
      }
      return token
    }
  }
}

/// What `tokenizer.json` puts around texts.
private struct PostProcessor {
  /// Whether it is `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` with B in the second segment.
  let isBERT: Bool

  init(_ value: Any?) {
    let fields = value as? [String: Any] ?? [:]
    switch fields["type"] as? String {
    case "BertProcessing":
      let name = { (key: String) in (fields[key] as? [Any])?.first as? String }
      isBERT = name("cls") == "[CLS]" && name("sep") == "[SEP]"
    case "TemplateProcessing":
      let single = ["[CLS] 0", "A 0", "[SEP] 0"]
      isBERT =
        Self.parts(fields["single"]) == single
        && Self.parts(fields["pair"]) == single + ["B 1", "[SEP] 1"]
    default: isBERT = false
    }
  }

  /// Each part of a template as its name and segment.
  private static func parts(_ template: Any?) -> [String] {
    (template as? [[String: Any]] ?? []).map { part in
      let fields = (part["SpecialToken"] ?? part["Sequence"]) as? [String: Any] ?? [:]
      return "\(fields["id"] as? String ?? "") \(fields["type_id"] as? Int ?? -1)"
    }
  }
}
