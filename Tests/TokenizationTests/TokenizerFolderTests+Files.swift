import Foundation
import Tokenization

// The contents of the files of the folders.
extension TokenizerFolderTests {
  static let tokens =
    SpecialTokens.names + [
      "the", "cat", "Cat", "cafe", "café", "c", "##at", "a", "##b", "漢", "##字", "字", "[unused0]",
    ]

  /// A `tokenizer.json` as transformers writes it, with one string replaced.
  static func file(_ old: String = "", _ new: String = "") -> String {
    let vocabulary = tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
    let added = SpecialTokens.names.enumerated().map {
      """
      {"id": \($0), "content": "\($1)", "single_word": false, "lstrip": false, "rstrip": false, \
      "normalized": false, "special": true}
      """
    }
    let template = """
      {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, \
      {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}], \
      "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", \
      "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", \
      "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}], "special_tokens": {}}
      """
    let text = """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [\
      \(added.joined(separator: ", "))], "normalizer": {"type": "BertNormalizer", \
      "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}, \
      "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": \(template), \
      "decoder": {"type": "WordPiece"}, "model": {"type": "WordPiece", "unk_token": "[UNK]", \
      "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, \
      "vocab": {\(vocabulary)}}}
      """
    return old.isEmpty ? text : text.replacingOccurrences(of: old, with: new)
  }

  static let bertNormalizer = """
    {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, \
    "strip_accents": null, "lowercase": true}
    """

  static func sequence(_ parts: String...) -> String {
    #"{"type": "Sequence", "normalizers": [\#(parts.joined(separator: ", "))]}"#
  }

  static let generic = #"{"tokenizer_class": "PreTrainedTokenizerFast", "# + keys
  static let keys =
    #""unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "#
    + #""mask_token": "[MASK]"}"#
  static let list = tokens.map { $0 + "\n" }.joined()
}
