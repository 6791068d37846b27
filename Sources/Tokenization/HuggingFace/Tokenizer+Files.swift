import Foundation

extension Tokenizer {
  /// The files that make transformers load this tokenizer, by name.
  package func files(maximumLength: Int) throws -> [String: Data] {
    [
      "vocab.txt": Data(Vocabulary.fileBytes(vocabulary.tokens.prefix(vocabulary.pieceCount))),
      "tokenizer.json": Data(tokenizerFile.utf8),
      "tokenizer_config.json": try configurationFile(maximumLength),
    ]
  }

  /// What keeps text from being prepared for this tokenizer, which needs no more than a vocabulary and
  /// options, as a phrase; nil when nothing does.
  package var obstacleToPreparing: String? {
    if !normalization.cleansText { return "keeps control characters (clean_text is false)" }
    if !normalization.separatesIdeographs {
      return "does not separate ideographs (tokenize_chinese_chars is false)"
    }
    if normalization.stripAccents != normalization.lowercase && normalization.stripAccents {
      return "strips accents and keeps upper case"
    }
    if maximumCharacters != WordBuffer.maximumCharacters {
      return "looks up no word above \(maximumCharacters) characters"
    }
    let names = Set(SpecialTokens.names)
    if let token = addedTokens.first(where: { !names.contains($0.name) }) {
      return "finds the added token \(token.name) in text"
    }
    return addedTokens.count == names.count ? nil : "does not find all special tokens in text"
  }

  /// Whether BERT's classes of transformers, which set some rules themselves, make the same ids.
  private var isOfClassBERT: Bool {
    normalization.cleansText && maximumCharacters == WordBuffer.maximumCharacters
      && Set(addedTokens.map(\.id)).isSuperset(of: vocabulary.special.all)
  }

  private func configurationFile(_ maximumLength: Int) throws -> Data {
    var fields: [String: ConfigurationValue] = [
      "do_lower_case": .flag(normalization.lowercase),
      "strip_accents": .flag(normalization.stripAccents),
      "tokenize_chinese_chars": .flag(normalization.separatesIdeographs),
      "model_max_length": .number(maximumLength),
      "tokenizer_class": .text(isOfClassBERT ? "ElectraTokenizer" : "PreTrainedTokenizerFast"),
    ]
    let keys = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"]
    for (key, token) in zip(keys, vocabulary.special.added) where addedTokens.contains(token) {
      fields[key] = .text(token.name)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(fields)
  }

  /// A value of `tokenizer_config.json`.
  private enum ConfigurationValue: Encodable {
    case flag(Bool)
    case number(Int)
    case text(String)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .flag(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      }
    }
  }
}

/// `tokenizer.json`.
extension Tokenizer {
  private var tokenizerFile: String {
    let added = addedTokens.sorted { $0.id < $1.id }.map {
      """
          {"id": \($0.id), "content": \(quoted($0.name)), "single_word": false, "lstrip": false, \
      "rstrip": false, "normalized": false, "special": \($0.isSpecial)}
      """
    }
    let pieces = vocabulary.tokens.prefix(vocabulary.pieceCount)
    let entries = pieces.enumerated().map { "      \(quoted($1)): \($0)" }
    return """
      {
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [
      \(added.joined(separator: ",\n"))
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": \(normalization.cleansText), \
      "handle_chinese_chars": \(normalization.separatesIdeographs), \
      "strip_accents": \(normalization.stripAccents), \
      "lowercase": \(normalization.lowercase)},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
      \(postProcessor),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
          "type": "WordPiece",
          "unk_token": "[UNK]",
          "continuing_subword_prefix": "##",
          "max_input_chars_per_word": \(maximumCharacters),
          "vocab": {
      \(entries.joined(separator: ",\n"))
          }
        }
      }

      """
  }

  private var postProcessor: String {
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
        "post_processor": {
          "type": "TemplateProcessing",
          "single": [\(single.joined(separator: ", "))],
          "pair": [\(pair.joined(separator: ", "))],
          "special_tokens": {
            \(definition("[CLS]", ids.classification)),
            \(definition("[SEP]", ids.separator))
          }
        }
      """
  }

  /// A JSON string.
  private func quoted(_ string: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(string)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
