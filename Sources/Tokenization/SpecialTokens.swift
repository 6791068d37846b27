/// The ids of the five special tokens of a BERT vocabulary.
package struct SpecialTokens: Sendable, Equatable {
  /// The id of `[PAD]`, which fills sequences up to a common length.
  package let padding: Int32
  /// The id of `[UNK]`, which replaces words that the vocabulary cannot represent.
  package let unknown: Int32
  /// The id of `[CLS]`, the first token of every sequence.
  package let classification: Int32
  /// The id of `[SEP]`, the last token of every segment.
  package let separator: Int32
  /// The id of `[MASK]`, which hides a token from the generator.
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
  /// The names, in the order of their ids in a newly trained vocabulary.
  package static let names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  /// The five ids, in the order of `names`.
  package var all: [Int32] { [padding, unknown, classification, separator, mask] }

  /// Whether `id` in encoded text can only come from the token's name in the text.
  ///
  /// This holds for all special tokens except `[UNK]`, which also replaces unknown words.
  @inline(__always)
  package func isNamed(_ id: Int32) -> Bool {
    id == padding || id == classification || id == separator || id == mask
  }

  /// Looks up all five; throws `missingSpecialToken` for the first without an id.
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
