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
