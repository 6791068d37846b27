import Foundation
import Testing
import Tokenization

struct TokenizerFilesTests {
  /// The bytes are the same in all versions, so that a resumed run keeps its files.
  @Test
  func theFilesHaveTheirUsualBytes() throws {
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a/b", "\"", "##é"]
    let tokenizer = Tokenizer(
      vocabulary: try Vocabulary(tokens: tokens, source: "test"),
      normalization: TextNormalization(lowercase: true, stripAccents: false))
    let files = try tokenizer.files(maximumLength: 128).mapValues {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(files["vocab.txt"] == tokens.joined(separator: "\n") + "\n")
    #expect(files["tokenizer.json"] == Self.tokenizerFile)
    #expect(files["tokenizer_config.json"] == Self.configuration)
  }

  /// What a vocabulary and BERT's options do not say needs all files.
  @Test
  func dataKeepsTheFilesThatItsTokenizerNeeds() throws {
    let vocabulary = try vocabulary(["a", "[x]"])
    func names(_ tokenizer: Tokenizer) throws -> [String] {
      try tokenizer.dataFiles(maximumLength: 8).keys.sorted()
    }
    let plain = Tokenizer(vocabulary: vocabulary, normalization: .cased)
    #expect(try names(plain) == ["vocab.txt"])
    var normalization = TextNormalization.cased
    normalization.normalizers = [.nfc]
    let added = vocabulary.special.added + [AddedToken(name: "[x]", id: 6, isSpecial: true)]
    for tokenizer in [
      Tokenizer(vocabulary: vocabulary, normalization: normalization),
      Tokenizer(vocabulary: vocabulary, normalization: .cased, addedTokens: added),
      Tokenizer(vocabulary: vocabulary, normalization: .cased, maximumCharacters: 50),
    ] {
      #expect(try names(tokenizer) == ["tokenizer.json", "tokenizer_config.json", "vocab.txt"])
      #expect(plain.difference(from: tokenizer) != nil)
      #expect(tokenizer.difference(from: tokenizer) == nil)
    }
  }

  /// A `tokenizer.json` can have such pieces, which a `vocab.txt` cannot hold.
  @Test(arguments: ["\n", "a\nb", "a\r"])
  func piecesWithLineEndsAreReadAgain(piece: String) throws {
    let tokenizer = Tokenizer(vocabulary: try vocabulary(["a", piece]), normalization: .cased)
    for files in [
      try tokenizer.files(maximumLength: 8), try tokenizer.dataFiles(maximumLength: 8),
    ] {
      #expect(files.keys.sorted() == ["tokenizer.json", "tokenizer_config.json"])
      let read = try withTemporaryFolder { folder -> Tokenizer in
        for (name, data) in files { try data.write(to: folder.appending(path: name)) }
        return try Tokenizer(folder: folder.path)
      }
      #expect(read.vocabulary.tokens.map { Array($0.utf8) }.last == Array(piece.utf8))
      #expect(read.difference(from: tokenizer) == nil)
    }
  }

  private static let tokenizerFile = """
    {
      "version": "1.0",
      "truncation": null,
      "padding": null,
      "added_tokens": [
        {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, \
    "normalized": false, "special": true},
        {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, \
    "normalized": false, "special": true},
        {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, \
    "normalized": false, "special": true},
        {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, \
    "normalized": false, "special": true},
        {"id": 4, "content": "[MASK]", "single_word": false, "lstrip": false, "rstrip": false, \
    "normalized": false, "special": true}
      ],
      "normalizer": {"type": "BertNormalizer", "clean_text": true, \
    "handle_chinese_chars": true, "strip_accents": false, "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"},
      "post_processor": {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, \
    {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, \
    {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, \
    {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
        "special_tokens": {
          "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
          "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}
        }
      },
      "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
      "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {
          "[PAD]": 0,
          "[UNK]": 1,
          "[CLS]": 2,
          "[SEP]": 3,
          "[MASK]": 4,
          "a/b": 5,
          "\\"": 6,
          "##é": 7
        }
      }
    }

    """

  private static let configuration = """
    {
      "cls_token" : "[CLS]",
      "do_lower_case" : true,
      "mask_token" : "[MASK]",
      "model_max_length" : 128,
      "pad_token" : "[PAD]",
      "sep_token" : "[SEP]",
      "strip_accents" : false,
      "tokenize_chinese_chars" : true,
      "tokenizer_class" : "ElectraTokenizer",
      "unk_token" : "[UNK]"
    }
    """
}
