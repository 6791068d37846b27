/// A special or added token as described in a Hugging Face file: a name, or an object.
struct TokenDescription {
  let name: String
  /// The id; nil if the file leaves it to the vocabulary.
  let id: Int?
  let isSpecial: Bool
  /// Whether the token is matched in normalised text.
  let isNormalized: Bool
  /// Whether the token matches only where it is not part of a longer word.
  let isSingleWord: Bool

  /// The bytes of the name: canonically equivalent strings are different tokens.
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

  /// Decodes a name, or an object with the name as `content`; nil for anything else.
  ///
  /// The keys `lstrip` and `rstrip` concern white space around the token, which never affects ids,
  /// so they are ignored.
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

  /// The key that prevents matching the token as Hugging Face does; nil if there is none.
  var problem: String? {
    if isSingleWord { return "single_word" }
    return isNormalized ? "normalized" : nil
  }
}
