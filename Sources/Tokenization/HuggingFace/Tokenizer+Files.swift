import Foundation
import Platform

extension Tokenizer {
  /// The contents of the files from which transformers loads this tokenizer, by file name.
  ///
  /// `maximumLength` is the maximum sequence length of the model, in tokens. Where a `vocab.txt`
  /// cannot hold the word pieces there is none; `tokenizer.json` is sufficient.
  package func files(maximumLength: Int) throws -> [String: Data] {
    var files = [
      "tokenizer.json": Data((tokenizerFile.spacedText + "\n").utf8),
      "tokenizer_config.json": try configurationFile(maximumLength),
    ]
    if vocabulary.fitsFile {
      let pieces = vocabulary.tokens.prefix(vocabulary.pieceCount)
      files["vocab.txt"] = Data(Vocabulary.fileBytes(pieces))
    }
    return files
  }

  /// The files of prepared data that keep this tokenizer, by name.
  ///
  /// `vocab.txt` is enough where it and a `TextNormalization` define the tokenizer; `data.json` has
  /// the latter. Any other tokenizer needs all its files.
  package func dataFiles(maximumLength: Int) throws -> [String: Data] {
    isPlain
      ? ["vocab.txt": Data(vocabulary.fileBytes)] : try files(maximumLength: maximumLength)
  }

  /// Whether a vocabulary and the keys of `tokenizer_config.json` define the tokenizer.
  private var isPlain: Bool {
    isOfClassBERT && vocabulary.fitsFile
      && addedTokens.sorted { $0.id < $1.id } == vocabulary.special.added.sorted { $0.id < $1.id }
  }

  /// Whether transformers' classes for BERT, which fix some options, give the same ids.
  private var isOfClassBERT: Bool {
    normalization.cleansText && normalization.normalizers.isEmpty
      && maximumCharacters == WordBuffer.maximumCharacters
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
    return try fields.jsonDocument()
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

// The contents of `tokenizer.json`.
extension Tokenizer {
  private var tokenizerFile: JSONText {
    let added = addedTokens.sorted { $0.id < $1.id }.map { token -> JSONText in
      [
        "id": .number(token.id), "content": .string(token.name), "single_word": false,
        "lstrip": false, "rstrip": false, "normalized": false, "special": .flag(token.isSpecial),
      ]
    }
    return .lines([
      "version": "1.0",
      "truncation": nil,
      "padding": nil,
      "added_tokens": .lines(.array(added)),
      "normalizer": normalization.fileValue,
      "pre_tokenizer": ["type": "BertPreTokenizer"],
      "post_processor": postProcessor,
      "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
      "model": model,
    ])
  }

  private var model: JSONText {
    let pieces = vocabulary.tokens.prefix(vocabulary.pieceCount)
    return .lines([
      "type": "WordPiece",
      "unk_token": "[UNK]",
      "continuing_subword_prefix": "##",
      "max_input_chars_per_word": .number(maximumCharacters),
      "vocab": .lines(.object(pieces.enumerated().map { ($1, .number($0)) })),
    ])
  }

  private var postProcessor: JSONText {
    func part(_ kind: String, _ name: String, type: Int) -> JSONText {
      let fields: JSONText = ["id": .string(name), "type_id": .number(type)]
      return .object([(kind, fields)])
    }
    func definition(_ name: String, _ id: Int32) -> JSONText {
      ["id": .string(name), "ids": [.number(id)], "tokens": [.string(name)]]
    }
    let single = [
      part("SpecialToken", "[CLS]", type: 0), part("Sequence", "A", type: 0),
      part("SpecialToken", "[SEP]", type: 0),
    ]
    let second = [part("Sequence", "B", type: 1), part("SpecialToken", "[SEP]", type: 1)]
    return .lines([
      "type": "TemplateProcessing",
      "single": .array(single),
      "pair": .array(single + second),
      "special_tokens": .lines([
        "[CLS]": definition("[CLS]", vocabulary.special.classification),
        "[SEP]": definition("[SEP]", vocabulary.special.separator),
      ]),
    ])
  }
}
