import Foundation
import Platform
import Testing
import Tokenization

/// Tokenizer folders of transformers are read with the ids of AutoTokenizer, or rejected.
///
/// The ids are those of transformers 4.57 and 5.24; check-tokenizers.py compares many more.
struct TokenizerFolderTests {
  /// The tokenizer of a folder with these files.
  private func tokenizer(_ files: [String: String]) throws -> Tokenizer {
    try withTemporaryFolder { folder in
      for (name, text) in files {
        try Data(text.utf8).write(to: folder.appending(path: name))
      }
      return try Tokenizer(folder: folder.path)
    }
  }

  private func pieces(_ tokenizer: Tokenizer, _ text: String) -> String {
    tokenizer.encode(text).map { tokenizer.vocabulary.tokens[Int($0)] }.joined(separator: " ")
  }

  private static let text = "The Cat café ab漢字 [unused0]"

  /// Cases: name, files, and the tokens of `text`.
  private static let readable: [(String, [String: String], String)] = [
    (
      "BERT's of the hub",
      [
        "tokenizer_config.json": #"{"do_lower_case": true, "model_max_length": 512}"#,
        "config.json": #"{"model_type": "bert"}"#, "vocab.txt": list, "tokenizer.json": file(),
      ], "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "a cased one of the hub",
      [
        "tokenizer_config.json": #"{"do_lower_case": false}"#, "vocab.txt": list,
        "tokenizer.json": file(#""lowercase": true"#, #""lowercase": false"#),
      ], "[UNK] Cat café a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "KoELECTRA's",
      [
        "tokenizer_config.json":
          #"{"do_lower_case": false, "model_max_length": 512, "tokenizer_class": "ElectraTokenizer"}"#,
        "config.json": #"{"model_type": "electra"}"#, "vocab.txt": list,
        "special_tokens_map.json": "{" + keys, "added_tokens.json": "{}",
      ], "[UNK] Cat café a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    ("no configuration", ["vocab.txt": list], "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]"),
    (
      "keys that change nothing",
      [
        "tokenizer_config.json":
          #"{"name_or_path": "x", "padding_side": "left", "chat_template": "y", "tokenizer_file": null, "#
          + #""clean_up_tokenization_spaces": true, "never_split": null, "do_basic_tokenize": true}"#,
        "vocab.txt": list,
      ], "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "a cased tokenizer.json beside vocab.txt",
      [
        "tokenizer_config.json": generic, "vocab.txt": list,
        "tokenizer.json": file(#""lowercase": true"#, #""lowercase": false"#),
      ], "[UNK] Cat café a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "joined ideographs",
      [
        "tokenizer_config.json": generic,
        "tokenizer.json": file(#""handle_chinese_chars": true"#, #""handle_chinese_chars": false"#),
      ], "the cat cafe [UNK] [UNK] [UNK] [UNK]"
    ),
    (
      "joined ideographs of BERT's",
      [
        "tokenizer_config.json": #"{"tokenize_chinese_chars": false}"#, "tokenizer.json": file(),
      ], "the cat cafe [UNK] [UNK] [UNK] [UNK]"
    ),
    (
      "normalizers before BERT's, in a sequence in a sequence",
      [
        "tokenizer_config.json": generic,
        "tokenizer.json": file(
          bertNormalizer,
          sequence(#"{"type": "NFD"}"#, sequence(#"{"type": "StripAccents"}"#), bertNormalizer)),
      ], "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "lower case alone",
      [
        "tokenizer_config.json": generic,
        "tokenizer.json": file(bertNormalizer, #"{"type": "Lowercase"}"#),
      ], "the cat café [UNK] [UNK] [UNK] [UNK]"
    ),
    (
      "no normalizer",
      ["tokenizer_config.json": generic, "tokenizer.json": file(bertNormalizer, "null")],
      "[UNK] Cat café [UNK] [UNK] [UNK] [UNK]"
    ),
    (
      "short words",
      [
        "tokenizer_config.json": generic,
        "tokenizer.json": file(
          #""max_input_chars_per_word": 100"#, #""max_input_chars_per_word": 3"#),
      ], "the cat [UNK] a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "an added token in the configuration",
      [
        "tokenizer_config.json":
          #"{"added_tokens_decoder": {"17": {"content": "[unused0]", "special": true}}}"#,
        "vocab.txt": list,
      ], "the cat cafe a ##b 漢 字 [unused0]"
    ),
    (
      "added tokens behind the vocabulary",
      [
        "tokenizer_config.json": #"{"additional_special_tokens": ["fé", "T"]}"#,
        "added_tokens.json": #"{"T": 19, "fé": 18}"#, "vocab.txt": list,
      ], "T [UNK] cat [UNK] fé a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
    (
      "special tokens that nobody names",
      [
        "tokenizer_config.json": #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#,
        "tokenizer.json": file("\"added_tokens\": [", "\"added_tokens\": [], \"unused\": ["),
      ], "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]"
    ),
  ]

  @Test(arguments: readable.indices)
  func foldersOfTheHubHaveTheirIDs(index: Int) throws {
    let (name, files, expected) = Self.readable[index]
    let tokenizer = try tokenizer(files)
    #expect(pieces(tokenizer, Self.text) == expected, "\(name)")
    // The written files give the same tokenizer.
    let written = try tokenizer.files(maximumLength: 512).mapValues {
      String(decoding: $0, as: UTF8.self)
    }
    let again = try self.tokenizer(written)
    #expect(pieces(again, Self.text) == expected, "\(name), written and read")
    #expect(again.normalization == tokenizer.normalization)
    #expect(again.addedTokens == tokenizer.addedTokens.sorted { $0.id < $1.id })
    #expect(again.vocabulary.tokens == tokenizer.vocabulary.tokens)
  }

  @Test
  func textThatIsNotCleanedKeepsItsControlCharacters() throws {
    let file = Self.file(#""clean_text": true"#, #""clean_text": false"#)
    let unclean = try tokenizer(["tokenizer_config.json": Self.generic, "tokenizer.json": file])
    #expect(pieces(unclean, "c\u{1}at c\u{FFFD}at the\u{B}cat \0") == "[UNK] [UNK] the cat [UNK]")
    let clean = try tokenizer(["tokenizer.json": Self.file()])
    #expect(pieces(clean, "c\u{1}at c\u{FFFD}at the\u{B}cat \0") == "cat cat [UNK]")
  }

  /// Cases: files, and a part of the error message.
  private static let refused: [([String: String], String)] = [
    (["config.json": #"{"tokenizer_class": "BertJapaneseTokenizer"}"#], "is BertJapaneseTokenizer"),
    (["tokenizer_config.json": #"{"tokenizer_class": "RobertaTokenizer"}"#], "is RobertaTokenizer"),
    (["config.json": #"{"model_type": "roberta"}"#], "a model of type roberta"),
    (["tokenizer_config.json": #"{"auto_map": {"AutoTokenizer": ["x", null]}}"#], "auto_map"),
    (["tokenizer_config.json": #"{"mask_token": "<mask>"}"#], "mask_token is <mask>"),
    (["tokenizer_config.json": #"{"do_lower_case": "no"}"#], "do_lower_case is not true or false"),
    (["tokenizer_config.json": #"{"split_special_tokens": true}"#], "split_special_tokens"),
    (["tokenizer_config.json": "{"], "not a JSON object"),
    (
      ["tokenizer_config.json": #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#],
      "needs tokenizer.json"
    ),
    (["tokenizer_config.json": #"{"bos_token": "<s>"}"#], "<s> is in no vocabulary"),
    (["added_tokens.json": #"{"covid": 18}"#], "covid is normalized"),
    (["added_tokens.json": #"{"covid": 18, "lung"#], "added_tokens.json: it is not a JSON object"),
    (["added_tokens.json": #"{"covid": null}"#], "an id in it is not an integer"),
    (
      ["added_tokens.json": #"{"the": 3}"#, "tokenizer_config.json": #"{"bos_token": "the"}"#],
      "has the id 3"
    ),
    (
      [
        "added_tokens.json": #"{"<s>": 25}"#,
        "tokenizer_config.json": #"{"bos_token": "<s>"}"#,
      ], "the next free one is 18"
    ),
    (
      [
        "tokenizer_config.json":
          #"{"added_tokens_decoder": {"5": {"content": "the", "special": true, "single_word": true}}}"#
      ], "the is single_word"
    ),
    (["tokenizer.json": file("BertPreTokenizer", "Whitespace")], "pre_tokenizer is Whitespace"),
    (["tokenizer.json": file(#"{"type": "BertPreTokenizer"}"#, "null")], "pre_tokenizer is null"),
    (["tokenizer.json": file("BertNormalizer", "Sequence")], "a Sequence without normalizers"),
    (["tokenizer.json": file(bertNormalizer, #""NFC""#)], "its normalizer is not an object"),
    (
      ["tokenizer.json": file(bertNormalizer, sequence(#""NFC""#, bertNormalizer))],
      "its normalizer is not an object"
    ),
    (
      ["tokenizer.json": file(bertNormalizer, sequence("null", bertNormalizer))],
      "its normalizer is not an object"
    ),
    (["tokenizer.json": file("BertNormalizer", "Strip")], "its normalizer has Strip"),
    (["tokenizer.json": file("BertNormalizer", "NFC")], "the normalizer NFC: transformers 4"),
    (
      ["tokenizer.json": file(bertNormalizer, sequence(bertNormalizer, #"{"type": "NFC"}"#))],
      "NFC after BertNormalizer"
    ),
    (
      ["tokenizer.json": file(#""post_processor": {"#, #""post_processor": null, "x": {"#)],
      "post_processor"
    ),
    (
      ["tokenizer.json": file(#"{"id": "B", "type_id": 1}"#, #"{"id": "B", "type_id": 0}"#)],
      "post_processor"
    ),
    (
      ["tokenizer.json": file(#"unk_token": "[UNK]"#, #"unk_token": "[PAD]"#)], "unk_token is [PAD]"
    ),
    (["tokenizer.json": file(": 100,", ": 200,")], "max_input_chars_per_word is 200"),
    (["tokenizer.json": file(": 100,", ": 50,")], "transformers 4 applies this and transformers 5"),
    (["tokenizer.json": file(#"clean_text": true"#, #"clean_text": false"#)], "clean_text false"),
    (["tokenizer.json": file("[unused0]", "[unused1]")], "different tokens"),
    (["vocab.txt": "version https://git-lfs.github.com/spec/v1\n"], "Git LFS pointer"),
    (
      ["vocab.txt": list.replacingOccurrences(of: "[MASK]", with: "<mask>")],
      "lacks the special token [MASK]"
    ),
  ]

  @Test(arguments: refused.indices)
  func whatWouldGiveOtherIDsIsRefusedByName(index: Int) throws {
    let (files, says) = Self.refused[index]
    let error = #expect(throws: (any Error).self) {
      try tokenizer(["vocab.txt": Self.list].merging(files) { $1 })
    }
    #expect(error is TokenizationError || error is FileError)
    #expect(error.map { "\($0)".contains(says) } == true, "\(String(describing: error))")
  }

  /// A folder in place of a file stands for any file that exists and cannot be read.
  @Test(
    arguments: [
      "tokenizer_config.json", "config.json", "special_tokens_map.json", "added_tokens.json",
      "tokenizer.json",
    ])
  func aFileThatCannotBeReadIsNotTakenForAMissingOne(name: String) throws {
    try withTemporaryFolder { folder in
      try Data(Self.list.utf8).write(to: folder.appending(path: "vocab.txt"))
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
      let error = #expect(throws: TokenizationError.self) { try Tokenizer(folder: folder.path) }
      #expect(error?.description.contains("\(name): the file cannot be read") == true)
    }
  }

  @Test
  func aFolderWithoutAVocabularySaysSo() throws {
    let none = #expect(throws: FileError.self) { try tokenizer(["config.json": "{}"]) }
    #expect(none?.description.contains("vocab.txt") == true)
    let other = #expect(throws: TokenizationError.self) { try tokenizer(["spiece.model": ""]) }
    #expect(other?.description.contains("it has spiece.model") == true)
  }

  @Test
  func aTokenizerJSONAloneIsEnough() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "tokenizer.json")
      try Data(Self.file().utf8).write(to: path)
      // The file defines the tokenizer, whatever is beside it.
      try Data(#"{"do_lower_case": false}"#.utf8)
        .write(to: folder.appending(path: "tokenizer_config.json"))
      let tokenizer = try Tokenizer(file: path.path)
      #expect(
        pieces(tokenizer, Self.text) == "the cat cafe a ##b 漢 字 [UNK] [UNK] [UNK]")
      #expect(tokenizer.addedTokens.map(\.name) == SpecialTokens.names)
      #expect(throws: FileError.missing(path: "none.json")) { try Tokenizer(file: "none.json") }
    }
  }

  @Test
  func aVocabularyThatIsOnlyInTokenizerJSONIsNamed() throws {
    try withTemporaryFolder { folder in
      try Data(Self.file().utf8).write(to: folder.appending(path: "tokenizer.json"))
      let error = #expect(throws: FileError.self) {
        try Vocabulary(contentsOf: folder.path + "/vocab.txt")
      }
      #expect(error?.description.contains("but a tokenizer.json") == true)
    }
  }
}
