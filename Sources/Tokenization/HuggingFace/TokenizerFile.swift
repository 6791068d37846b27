import Foundation

/// A `tokenizer.json`, the format of Hugging Face's `tokenizers`, with a BERT WordPiece tokenizer.
///
/// Files with anything that could change ids in an unsupported way are rejected with `unsupported`.
struct TokenizerFile {
  let path: String
  /// The word pieces in the order of their ids.
  let tokens: [String]
  let normalization: TextNormalization
  /// The type of the normalizer.
  let normalizer: String
  /// The maximum length, in characters, of a word that is looked up.
  let maximumCharacters: Int
  let added: [TokenDescription]

  /// Reads the file; nil if there is no such file.
  init?(path: String) throws(TokenizationError) {
    guard let data = try ConfigurationReader.contents(of: path) else { return nil }
    guard let file = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let model = file["model"] as? [String: Any], let known = model["vocab"] as? [String: Any]
    else { throw .unsupported(path: path, reason: "it is not a tokenizer with a vocabulary") }
    self.path = path
    try Self.expect(model, path)
    try Self.expectBERT(file["pre_tokenizer"], path)
    tokens = try Self.tokens(data, path: path)
    guard tokens.count >= known.count else {
      throw .unsupported(path: path, reason: "an id in its vocabulary is not an integer")
    }
    normalization = try TextNormalization(file: file["normalizer"], path)
    normalizer = (file["normalizer"] as? [String: Any])?["type"] as? String ?? "null"
    maximumCharacters = try Self.maximumCharacters(model, path)
    added = try (file["added_tokens"] as? [Any] ?? []).map { value throws(TokenizationError) in
      guard let token = TokenDescription(value, isSpecial: false), token.id != nil else {
        throw .unsupported(path: path, reason: "added_tokens has an entry without content or id")
      }
      return token
    }
    guard PostProcessor(file["post_processor"]).isBERT else {
      throw .unsupported(
        path: path,
        reason: "its post_processor does not produce [CLS] A [SEP] for a text and "
          + "[CLS] A [SEP] B [SEP], in two segments, for a pair")
    }
  }

  /// Throws `unsupported` unless the model is WordPiece with the standard prefix and unknown token.
  private static func expect(_ model: [String: Any], _ path: String) throws(TokenizationError) {
    if let type = model["type"] as? String, type != "WordPiece" {
      throw .unsupported(
        path: path, reason: "its model is \(type); only WordPiece is supported")
    }
    if let prefix = model["continuing_subword_prefix"] as? String, prefix != "##" {
      throw .unsupported(
        path: path,
        reason: "its continuing_subword_prefix is \(prefix); only ## is supported")
    }
    if let unknown = model["unk_token"] as? String, unknown != "[UNK]" {
      throw .unsupported(
        path: path, reason: "its unk_token is \(unknown); only [UNK] is supported")
    }
  }

  /// Throws `unsupported` unless text is split into words as by BERT.
  private static func expectBERT(_ part: Any?, _ path: String) throws(TokenizationError) {
    let found = (part as? [String: Any])?["type"] as? String ?? "null"
    guard found != "BertPreTokenizer" else { return }
    throw .unsupported(
      path: path, reason: "its pre_tokenizer is \(found); only BertPreTokenizer is supported")
  }

  private static func maximumCharacters(
    _ model: [String: Any], _ path: String
  ) throws(TokenizationError) -> Int {
    guard let value = model["max_input_chars_per_word"] else { return WordBuffer.maximumCharacters }
    guard let count = value as? Int, (0...WordBuffer.maximumCharacters).contains(count) else {
      throw .unsupported(
        path: path,
        reason: "its max_input_chars_per_word is \(value); only 0 to "
          + "\(WordBuffer.maximumCharacters) are supported")
    }
    return count
  }

  /// The keys of the object `vocab` in the order of their ids, which must be 0, 1, 2 and so on.
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
        throw .unsupported(
          path: path, reason: "none of its \(tokens.count) tokens has the id \(id)")
      }
      return token
    }
  }
}

/// The component of `tokenizer.json` that adds special tokens around texts.
private struct PostProcessor {
  /// Whether it produces `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` with B in the second segment.
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
