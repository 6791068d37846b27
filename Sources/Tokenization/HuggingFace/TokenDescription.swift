/// A special or added token as a file of Hugging Face describes it: a name, or an object.
struct TokenDescription {
  let name: String
  /// Nil where the file leaves the id to the vocabulary.
  let id: Int?
  let isSpecial: Bool
  /// Whether the token is looked for in the normalised text.
  let isNormalized: Bool
  /// Whether the token counts only where no letter touches it.
  let isSingleWord: Bool

  /// The token's name as bytes: strings that are canonically equivalent are different tokens.
  var key: [UInt8] { Array(name.utf8) }

  init(
    name: String, id: Int? = nil, isSpecial: Bool = true, isNormalized: Bool? = nil,
    isSingleWord: Bool = false
  ) {
    self.name = name
    self.id = id
    self.isSpecial = isSpecial
    self.isNormalized = isNormalized ?? !isSpecial
    self.isSingleWord = isSingleWord
  }

  /// Nil when `value` is neither a name nor an object with one. Blanks that a token swallows
  /// (`lstrip`, `rstrip`) never make an id, so these keys are passed over.
  init?(_ value: Any?, id: Int? = nil, isSpecial: Bool = true) {
    if let name = value as? String {
      self.init(name: name, id: id, isSpecial: isSpecial)
      return
    }
    guard let fields = value as? [String: Any], let name = fields["content"] as? String else {
      return nil
    }
    self.init(
      name: name, id: id ?? fields["id"] as? Int,
      isSpecial: fields["special"] as? Bool ?? isSpecial,
      isNormalized: fields["normalized"] as? Bool,
      isSingleWord: fields["single_word"] as? Bool ?? false)
  }

  /// What keeps the token from being found as Hugging Face finds it, as a phrase.
  var problem: String? {
    if isSingleWord { return "single_word" }
    return isNormalized ? "normalized" : nil
  }
}
