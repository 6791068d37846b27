import Foundation

/// `tokenizer.json`, the file of Hugging Face's `tokenizers`.
struct TokenizerFile {
  let vocabulary: Vocabulary
  /// What its normaliser does; nil when it does not say.
  let normalization: TextNormalization?

  /// Reads vocabulary and normaliser of a WordPiece tokenizer; nil when there is no such file.
  init?(path: String) throws(TokenizationError) {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    guard let file = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let model = file["model"] as? [String: Any], let known = model["vocab"] as? [String: Any]
    else { throw .unsupported(path: path, reason: "it is not a tokenizer with a vocabulary") }
    if let kind = model["type"] as? String, kind != "WordPiece" {
      throw .unsupported(
        path: path, reason: "its model is \(kind), and only WordPiece is read here")
    }
    try Self.expect(file["normalizer"], "BertNormalizer", "normalizer", path)
    try Self.expect(file["pre_tokenizer"], "BertPreTokenizer", "pre_tokenizer", path)
    if let prefix = model["continuing_subword_prefix"] as? String, prefix != "##" {
      throw .unsupported(path: path, reason: "words go on with \(prefix), and only ## is read here")
    }
    let tokens = try Self.tokens(data, path: path)
    guard tokens.count >= known.count else {
      throw .unsupported(path: path, reason: "an id of its vocabulary is not a whole number")
    }
    vocabulary = try Vocabulary(tokens: tokens, source: path)
    normalization = (file["normalizer"] as? [String: Any]).flatMap { fields in
      (fields["lowercase"] as? Bool).map { lowercase in
        TextNormalization(
          lowercase: lowercase, stripAccents: fields["strip_accents"] as? Bool ?? lowercase)
      }
    }
  }

  /// Throws `unsupported` unless a part of the tokenizer is missing or of this type.
  private static func expect(
    _ part: Any?, _ type: String, _ name: String, _ path: String
  ) throws(TokenizationError) {
    guard let own = (part as? [String: Any])?["type"] as? String, own != type else { return }
    throw .unsupported(path: path, reason: "its \(name) is \(own), and only \(type) is read here")
  }

  /// The keys of the object `vocab`, by their numbers. A dictionary would not do: it takes letters
  /// with composed and with combining accents for the same key.
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

  /// The file for `tokenizer`.
  static func text(_ tokenizer: Tokenizer) -> String {
    let vocabulary = tokenizer.vocabulary
    let added = zip(SpecialTokens.names, vocabulary.special.all).sorted { $0.1 < $1.1 }.map {
      """
          {"id": \($1), "content": "\($0)", "single_word": false, "lstrip": false, "rstrip": false, \
      "normalized": false, "special": true}
      """
    }
    let entries = vocabulary.tokens.enumerated().map { "      \(quoted($1)): \($0)" }
    func special(_ name: String, type: Int) -> String {
      "{\"SpecialToken\": {\"id\": \"\(name)\", \"type_id\": \(type)}}"
    }
    func sequence(_ name: String, type: Int) -> String {
      "{\"Sequence\": {\"id\": \"\(name)\", \"type_id\": \(type)}}"
    }
    func definition(_ name: String, _ id: Int32) -> String {
      "\"\(name)\": {\"id\": \"\(name)\", \"ids\": [\(id)], \"tokens\": [\"\(name)\"]}"
    }
    let single = [special("[CLS]", type: 0), sequence("A", type: 0), special("[SEP]", type: 0)]
    let pair = single + [sequence("B", type: 1), special("[SEP]", type: 1)]
    let ids = vocabulary.special
    return """
      {
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
      \(added.joined(separator: ",\n"))
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, \
      "strip_accents": \(tokenizer.normalization.stripAccents), \
      "lowercase": \(tokenizer.normalization.lowercase)},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
          "type": "TemplateProcessing",
          "single": [\(single.joined(separator: ", "))],
          "pair": [\(pair.joined(separator: ", "))],
          "special_tokens": {
            \(definition("[CLS]", ids.classification)),
            \(definition("[SEP]", ids.separator))
          }
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
          "type": "WordPiece",
          "unk_token": "[UNK]",
          "continuing_subword_prefix": "##",
          "max_input_chars_per_word": \(WordBuffer.maximumCharacters),
          "vocab": {
      \(entries.joined(separator: ",\n"))
          }
        }
      }

      """
  }

  /// A JSON string.
  private static func quoted(_ string: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(string)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}

/// Walks over the entries of an object of numbers in a text that is known to be JSON.
private struct ObjectScanner {
  private let bytes: [UInt8]
  private var place = 0

  init(_ data: Data) { bytes = Array(data) }

  /// Moves behind the brace of the object that is the value of the first key called `key`; false
  /// when there is none.
  mutating func skip(intoObject key: String) -> Bool {
    while skip(to: "\"") {
      if string() == key, take(":"), take("{") { return true }
    }
    return false
  }

  /// The next key with its number; nil behind the last.
  mutating func next() -> (String, Int)? {
    guard skip(to: "\"}"), bytes[place] == UInt8(ascii: "\""), let key = string(),
      skip(to: "-0123456789")
    else { return nil }
    let start = place
    while place < bytes.count, bytes[place] != UInt8(ascii: ","), bytes[place] != UInt8(ascii: "}")
    {
      place += 1
    }
    let number = String(decoding: bytes[start..<place], as: UTF8.self)
    return Int(number.trimmingCharacters(in: .whitespacesAndNewlines)).map { (key, $0) }
  }

  /// Moves behind blanks and this byte; false, behind the blanks, when another one stands there.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  /// Moves to the next byte that is one of `characters`.
  private mutating func skip(to characters: String) -> Bool {
    let wanted = Array(characters.utf8)
    while place < bytes.count, !wanted.contains(bytes[place]) { place += 1 }
    return place < bytes.count
  }

  /// The string that begins here, and moves behind it.
  private mutating func string() -> String? {
    let start = place
    place += 1
    while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
      place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
    }
    place = min(place + 1, bytes.count)
    return try? JSONDecoder().decode(String.self, from: Data(bytes[start..<place]))
  }
}
