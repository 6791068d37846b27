/// The ids of the five special tokens of BERT's vocabularies, found by name.
package struct SpecialTokens: Sendable, Equatable {
  /// `[PAD]`
  package let padding: Int32
  /// `[UNK]`
  package let unknown: Int32
  /// `[CLS]`, the first token of every sequence.
  package let classification: Int32
  /// `[SEP]`, the last token of every segment.
  package let separator: Int32
  /// `[MASK]`
  package let mask: Int32

  package init(
    padding: Int32, unknown: Int32, classification: Int32, separator: Int32, mask: Int32
  ) {
    self.padding = padding
    self.unknown = unknown
    self.classification = classification
    self.separator = separator
    self.mask = mask
  }
}

extension SpecialTokens {
  /// The names in the order in which a newly trained vocabulary numbers them.
  package static let names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  /// The five ids, in the order of `names`.
  package var all: [Int32] { [padding, unknown, classification, separator, mask] }

  /// Whether the token comes from its name in the text alone: every special one but `[UNK]`, which
  /// also stands for unknown words.
  @inline(__always)
  package func isNamed(_ id: Int32) -> Bool {
    id == padding || id == classification || id == separator || id == mask
  }

  /// Looks all five up; throws `missingSpecialToken` for the first that `id` does not know.
  init(source: String, id: (String) -> Int32?) throws(TokenizationError) {
    var ids: [Int32] = []
    for name in Self.names {
      guard let id = id(name) else {
        throw .missingSpecialToken(source: source, token: name)
      }
      ids.append(id)
    }
    self.init(
      padding: ids[0], unknown: ids[1], classification: ids[2], separator: ids[3], mask: ids[4])
  }
}
