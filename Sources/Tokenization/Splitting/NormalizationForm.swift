import Foundation

/// One of the Unicode normalization forms, for short sequences of characters (Unicode, section
/// 3.11).
///
/// The first goal is that results equal those of `tokenizers`, which knows the forms of Unicode 9:
/// newer characters have no decomposition and no combining class. Unicode guarantees that those of
/// older characters never change, so they are taken from Foundation and Swift, character by
/// character. The composition of a pair is the inverse of a decomposition.
struct NormalizationForm: Sendable {
  /// The full decompositions, of the characters that have one.
  private var decompositions: [UInt32: [UInt32]] = [:]
  /// The canonical combining classes other than 0.
  private var classes: [UInt32: UInt8] = [:]
  /// The character that a pair composes to; the first of the pair is in the upper half of the key.
  private var compositions: [UInt64: UInt32] = [:]
  /// The characters of class 0 that are not the first of some canonical decomposition.
  ///
  /// Only these can combine with a character before them. Some never do.
  private var followers: Set<UInt32> = []
  private let composes: Bool

  /// Collects the properties of `codePoints`; nil for a normalizer that is no form.
  init?(_ normalizer: Normalizer, _ codePoints: some Sequence<UInt32>) {
    guard let isCompatible = normalizer.usesCompatibility else { return nil }
    composes = normalizer == .nfc || normalizer == .nfkc
    var canonical: [(whole: UInt32, parts: [UInt32])] = []
    for scalar in codePoints.lazy.compactMap(Unicode.Scalar.init)
    where CharacterRules.hasKnownForms(scalar) {
      let parts = CharacterRules.decomposition(scalar).map(\.value)
      if parts != [scalar.value] { canonical.append((scalar.value, parts)) }
      let full = isCompatible ? CharacterRules.compatibleDecomposition(scalar) : parts
      if full != [scalar.value] { decompositions[scalar.value] = full }
      let order = CharacterRules.combiningClass(scalar)
      if order > 0 { classes[scalar.value] = order }
    }
    for (_, parts) in canonical { followers.formUnion(parts.dropFirst()) }
    followers.subtract(classes.keys)
    if composes { addCompositions(canonical) }
  }

  /// Adds the pairs that compose, shorter decompositions first: all but the last character of a
  /// decomposition must compose to one.
  private mutating func addCompositions(_ canonical: [(whole: UInt32, parts: [UInt32])]) {
    for (whole, parts) in canonical.sorted(by: {
      ($0.parts.count, $0.whole) < ($1.parts.count, $1.whole)
    })
    where parts.count > 1 {
      let first = composed(Array(parts.dropLast()))
      guard first.count == 1, let last = parts.last, let scalar = Unicode.Scalar(whole),
        CharacterRules.isComposed(scalar)
      else { continue }
      compositions[Self.key(first[0], last)] = whole
    }
  }

  private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }

  /// Whether text before the character can change together with it.
  func continues(_ codePoint: UInt32) -> Bool {
    let first = decompositions[codePoint]?.first ?? codePoint
    return classes[first] != nil || followers.contains(first)
  }

  /// The form of a sequence of characters.
  func form(of characters: [UInt32]) -> [UInt32] {
    var parts = characters.flatMap { decompositions[$0] ?? [$0] }
    order(&parts)
    return composes ? composed(parts) : parts
  }

  /// The Canonical Ordering Algorithm: sorts each run of marks by combining class, stably.
  private func order(_ characters: inout [UInt32]) {
    var start = 0
    while start < characters.count {
      var end = start
      while end < characters.count, classes[characters[end]] != nil { end += 1 }
      if end - start > 16 {
        sort(&characters, start..<end)
      } else {
        insertionSort(&characters, start..<end)
      }
      // The character at `end` is a starter.
      start = end + 1
    }
  }

  /// Sorts a short run of marks.
  private func insertionSort(_ characters: inout [UInt32], _ run: Range<Int>) {
    for index in run.dropFirst() {
      let moved = classes[characters[index]] ?? 0
      var target = index
      while target > run.lowerBound, classes[characters[target - 1]] ?? 0 > moved {
        characters.swapAt(target, target - 1)
        target -= 1
      }
    }
  }

  /// Sorts a run of marks; insertion is quadratic in its length.
  private func sort(_ characters: inout [UInt32], _ run: Range<Int>) {
    let marks = run.map { (order: classes[characters[$0]] ?? 0, index: $0) }
      .sorted { ($0.order, $0.index) < ($1.order, $1.index) }
    let sorted = marks.map { characters[$0.index] }
    characters.replaceSubrange(run, with: sorted)
  }

  /// The Canonical Composition Algorithm, for a decomposed and ordered sequence.
  ///
  /// A character is composed with the last starter unless one between them has its class or a
  /// higher one, or is a starter.
  private func composed(_ characters: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    var starter: Int?
    for character in characters {
      let order = classes[character] ?? 0
      if let index = starter {
        let isNext = index == result.count - 1
        let previous = isNext ? 0 : classes[result[result.count - 1]] ?? 0
        if isNext || previous < order,
          let whole = composition(of: result[index], and: character)
        {
          result[index] = whole
          continue
        }
      }
      if order == 0 { starter = result.count }
      result.append(character)
    }
    return result
  }

  /// The character that two compose to; Hangul syllables are computed (Unicode, section 3.12).
  private func composition(of first: UInt32, and second: UInt32) -> UInt32? {
    if 0x1100..<0x1113 ~= first, 0x1161..<0x1176 ~= second {
      return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
    }
    if 0xAC00..<0xD7A4 ~= first, (first - 0xAC00) % 28 == 0, 0x11A8..<0x11C3 ~= second {
      return first + second - 0x11A7
    }
    return compositions[Self.key(first, second)]
  }
}
