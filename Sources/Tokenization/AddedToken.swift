/// A token that is found in the text by its name before the text is normalised, as Hugging Face's
/// `tokenizers` finds special and added tokens.
package struct AddedToken: Sendable, Equatable {
  package let name: String
  package let id: Int32
  /// Whether Hugging Face's decoders may leave it out; ids do not depend on it.
  package let isSpecial: Bool
}

extension SpecialTokens {
  /// The five special tokens, which every text is searched for by default.
  var added: [AddedToken] {
    zip(Self.names, all).map { AddedToken(name: $0, id: $1, isSpecial: true) }
  }
}
