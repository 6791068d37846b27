/// A token that is recognized by its name in the raw text, before normalisation.
///
/// Hugging Face's `tokenizers` recognizes special and other added tokens in this way.
package struct AddedToken: Sendable, Equatable {
  package let name: String
  package let id: Int32
  /// Whether Hugging Face's decoders may skip the token; it does not affect encoding.
  package let isSpecial: Bool

  package init(name: String, id: Int32, isSpecial: Bool) {
    (self.name, self.id, self.isSpecial) = (name, id, isSpecial)
  }
}

extension SpecialTokens {
  /// The five special tokens as added tokens, the default of `Tokenizer`.
  package var added: [AddedToken] {
    zip(Self.names, all).map { AddedToken(name: $0, id: $1, isSpecial: true) }
  }
}
