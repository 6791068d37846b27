import Foundation

/// What BERT's normalisation does with a single character, exactly as Hugging Face's
/// `tokenizers` (BertNormalizer and BertPreTokenizer) does it.
///
/// Ids must be equal for every code point, so the ages of the Unicode tables in that library matter:
/// general categories are those of Unicode 8, decompositions and combining classes those of
/// Unicode 9, lower-case mappings those of Unicode 17. Swift's tables are as new as its runtime, and
/// Unicode gives every character its age: younger ones count as unassigned. Seven characters have
/// changed their category since and are named below. All of this was found by asking the library
/// about every code point; the test fixture holds its answers.
enum CharacterRules {
  /// The part that a character plays in the splitting of text into words.
  enum Role {
    /// Left out: a control, format or private character, NUL, or U+FFFD.
    case dropped
    /// White space, which ends a word.
    case space
    /// An ideograph or a punctuation mark, which is a word of its own.
    case isolated
    /// Anything else: a part of a word.
    case letter
  }

  private static let categoryVersion = 8
  private static let decompositionVersion = 9

  /// What becomes of the character before it is decomposed or lower-cased.
  static func role(_ scalar: Unicode.Scalar, _ normalization: TextNormalization) -> Role {
    if normalization.cleansText, isCleanedAway(scalar) { return .dropped }
    if scalar.properties.isWhitespace { return .space }
    return isIsolated(scalar, of: scalar, normalization) ? .isolated : .letter
  }

  /// Whether a character that comes from `whole` is a word of its own.
  static func isIsolated(
    _ scalar: Unicode.Scalar, of whole: Unicode.Scalar, _ normalization: TextNormalization
  ) -> Bool {
    normalization.separatesIdeographs && isIdeograph(whole) || isPunctuation(scalar)
  }

  /// Whether the cleaning of text removes the character.
  private static func isCleanedAway(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": return false
    case "\0", "\u{FFFD}": return true
    default: break
    }
    switch category(scalar) {
    case .control, .format, .privateUse: return true
    default: return false
    }
  }

  /// The canonical decomposition, in full.
  static func decomposition(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    if 0xAC00...0xD7A3 ~= scalar.value { return hangul(scalar.value - 0xAC00) }
    let parts = Array(String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars)
    return parts == [scalar] || isKnown(scalar, to: decompositionVersion) ? parts : [scalar]
  }

  /// The letters of a Hangul syllable, by its place among the syllables (Unicode, section 3.12).
  private static func hangul(_ syllable: UInt32) -> [Unicode.Scalar] {
    let parts = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28, 0x11A7 + syllable % 28]
    return parts.prefix(syllable % 28 == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
  }

  /// The canonical combining class: 0 for a starter; other marks after a starter are ordered by it.
  static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
    guard isKnown(scalar, to: decompositionVersion) else { return 0 }
    return scalar.properties.canonicalCombiningClass.rawValue
  }

  /// Whether the stripping of accents removes the character.
  static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
    category(scalar) == .nonspacingMark
  }

  /// The lower-case form, one or two characters.
  static func lowercase(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    Array(scalar.properties.lowercaseMapping.unicodeScalars)
  }

  /// Whether BERT calls the character Chinese. The range that begins with U+2B920 should begin with
  /// U+2B820; the library has it so.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
      0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// Whether the character is split off as punctuation: any of ASCII's that is neither letter nor
  /// digit, and Unicode's categories P.
  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    default: break
    }
    switch category(scalar) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// The general category in Unicode 8 if it is one of those that anyone here asks about.
  private static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    switch scalar.value {
    case 0x166D, 0x111C9: return .otherPunctuation
    case 0x1734, 0x1171E: return .nonspacingMark
    case 0x1885, 0x1886: return .otherLetter
    case 0xA9BD: return .spacingMark
    default: break
    }
    let category = scalar.properties.generalCategory
    switch category {
    case .uppercaseLetter, .lowercaseLetter, .otherLetter, .otherSymbol, .unassigned:
      return category  // The age, which is slow to find, does not matter.
    default:
      return isKnown(scalar, to: categoryVersion) ? category : .unassigned
    }
  }

  private static func isKnown(_ scalar: Unicode.Scalar, to version: Int) -> Bool {
    scalar.properties.age.map { $0.major <= version } ?? false
  }
}
