import Foundation

/// The rules of BERT's normalisation for a single character.
///
/// They equal those of Hugging Face's `tokenizers` (BertNormalizer and BertPreTokenizer) for every
/// code point. That library uses tables of several Unicode versions: general categories of Unicode
/// 8, decompositions and combining classes of Unicode 9, lower-case mappings of Unicode 17. Swift's
/// tables are newer. Unicode records the version that introduced each character (its age), so newer
/// characters count as unassigned here. Seven characters changed their category after Unicode 8;
/// `category(_:)` lists them. The rules were verified against the library for every code point; the
/// test fixture contains its results.
enum CharacterRules {
  /// The role of a character in splitting text into words.
  enum Role {
    /// Removed: a control, format or private-use character, NUL, or U+FFFD.
    case dropped
    /// White space, which ends a word.
    case space
    /// An ideograph or a punctuation mark, which is a separate word.
    case isolated
    /// Any other character, which is part of a word.
    case letter
  }

  private static let categoryVersion = 8
  private static let decompositionVersion = 9

  /// The role of a character before it is decomposed or lower-cased.
  static func role(_ scalar: Unicode.Scalar, _ normalization: TextNormalization) -> Role {
    if normalization.cleansText, isCleanedAway(scalar) { return .dropped }
    if scalar.properties.isWhitespace { return .space }
    return isIsolated(scalar, of: scalar, normalization) ? .isolated : .letter
  }

  /// Whether a character from the decomposition of `whole` is a separate word.
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

  /// The full canonical decomposition.
  static func decomposition(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    decompositions([scalar])[0]
  }

  /// The full canonical decomposition of each character.
  ///
  /// Foundation is called once for all characters, since every call converts strings.
  static func decompositions(_ scalars: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
    func isHangul(_ scalar: Unicode.Scalar) -> Bool { 0xAC00...0xD7A3 ~= scalar.value }
    // No mark moves across NUL, so each character is decomposed as if it were alone.
    var text = String.UnicodeScalarView()
    for scalar in scalars where !scalar.isASCII && !isHangul(scalar) {
      text.append(scalar)
      text.append("\0")
    }
    let decomposed = String(text).decomposedStringWithCanonicalMapping.unicodeScalars
    var parts = decomposed.split(separator: "\0").makeIterator()
    return scalars.map { scalar in
      if isHangul(scalar) { return hangul(scalar.value - 0xAC00) }
      guard !scalar.isASCII, let part = parts.next() else { return [scalar] }
      return part.elementsEqual([scalar]) || !hasKnownForms(scalar) ? [scalar] : Array(part)
    }
  }

  /// The full compatibility decomposition of a character with known forms, as code points.
  static func compatibleDecomposition(_ scalar: Unicode.Scalar) -> [UInt32] {
    if 0xAC00...0xD7A3 ~= scalar.value { return decomposition(scalar).map(\.value) }
    return String(scalar).decomposedStringWithCompatibilityMapping.unicodeScalars.map(\.value)
  }

  /// Whether composition produces the character from its canonical decomposition.
  static func isComposed(_ scalar: Unicode.Scalar) -> Bool {
    String(scalar).precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual([scalar])
  }

  /// The letters of a Hangul syllable, given its index from U+AC00 (Unicode, section 3.12).
  private static func hangul(_ syllable: UInt32) -> [Unicode.Scalar] {
    let parts = [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28, 0x11A7 + syllable % 28]
    return parts.prefix(syllable % 28 == 0 ? 2 : 3).compactMap(Unicode.Scalar.init)
  }

  /// The canonical combining class: 0 for a starter; it determines the order of marks after one.
  static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
    guard hasKnownForms(scalar) else { return 0 }
    return scalar.properties.canonicalCombiningClass.rawValue
  }

  /// Whether stripping accents removes the character.
  static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
    category(scalar) == .nonspacingMark
  }

  /// Whether the character is a mark (category M) in the Unicode version of the decompositions.
  static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    // Three characters have changed their category since.
    if scalar.value == 0x111C9 { return false }
    if 0x1CF2...0x1CF3 ~= scalar.value { return true }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: return hasKnownForms(scalar)
    default: return false
    }
  }

  /// Whether the library knows the character's decomposition and combining class.
  static func hasKnownForms(_ scalar: Unicode.Scalar) -> Bool {
    isKnown(scalar, to: decompositionVersion)
  }

  /// The lower-case form: one or two characters.
  static func lowercase(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    scalar.properties.changesWhenLowercased
      ? Array(scalar.properties.lowercaseMapping.unicodeScalars) : [scalar]
  }

  /// Whether BERT treats the character as Chinese.
  ///
  /// The range that begins with U+2B920 should begin with U+2B820; the library has the same error.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
      0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// Whether BERT treats the character as punctuation.
  ///
  /// Punctuation is every visible ASCII character except letters and digits, and the categories P
  /// of Unicode.
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

  /// The general category in Unicode 8, exact for all categories that the rules distinguish.
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
      return category  // No rule distinguishes these, so the slow look-up of the age is skipped.
    default:
      return isKnown(scalar, to: categoryVersion) ? category : .unassigned
    }
  }

  private static func isKnown(_ scalar: Unicode.Scalar, to version: Int) -> Bool {
    scalar.properties.age.map { $0.major <= version } ?? false
  }
}
