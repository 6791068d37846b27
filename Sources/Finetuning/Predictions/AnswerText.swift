/// The normalisation and comparison of SQuAD's evaluators.
///
/// The evaluators are Python scripts. Word characters, white space and lower case follow Python's
/// rules (`re`, `str.split`, `str.lower`), so that every text is normalised as there.
package enum AnswerText {
  /// The words of an answer in lower case, without ASCII punctuation and the articles a, an, the.
  package static func words(_ text: String) -> [String] {
    let kept = lowercase(text).filter { !isPunctuation($0) }
    var result: [[Unicode.Scalar]] = [[]]
    for run in runs(kept) {
      if run.isWord && articles.contains(where: { $0.elementsEqual(run.scalars) }) {
        result.append([])
        continue
      }
      for scalar in run.scalars {
        if isSpace(scalar) {
          result.append([])
        } else {
          result[result.count - 1].append(scalar)
        }
      }
    }
    return result.filter { !$0.isEmpty }.map { String(String.UnicodeScalarView($0)) }
  }

  private static let articles: [[Unicode.Scalar]] = ["a", "an", "the"].map {
    Array($0.unicodeScalars)
  }

  /// Whether the words of an answer equal those of a gold answer, byte by byte.
  static func isExact(_ answer: [String], _ gold: [String]) -> Bool { answer.sameBytes(as: gold) }

  /// The F1 score of an answer's words, counted with multiplicity.
  ///
  /// If one side has no words the score is 0, except that SQuAD 2.0 (`emptyCounts`) gives 1 if both
  /// have none.
  static func f1(_ answer: [String], _ gold: [String], emptyCounts: Bool) -> Double {
    if answer.isEmpty || gold.isEmpty {
      return emptyCounts && answer.isEmpty && gold.isEmpty ? 1 : 0
    }
    var left: [[UInt8]: Int] = [:]
    for word in gold { left[Array(word.utf8), default: 0] += 1 }
    var common = 0
    for word in answer {
      let key = Array(word.utf8)
      if let count = left[key], count > 0 {
        left[key] = count - 1
        common += 1
      }
    }
    return LabelScores.fraction(2 * common, of: answer.count + gold.count)
  }

  /// Splits a text into maximal runs of word characters and of other characters.
  private static func runs(
    _ scalars: [Unicode.Scalar]
  ) -> [(isWord: Bool, scalars: ArraySlice<Unicode.Scalar>)] {
    var runs: [(Bool, ArraySlice<Unicode.Scalar>)] = []
    var start = 0
    while start < scalars.count {
      let isWord = isWordCharacter(scalars[start])
      let end =
        scalars[start...].firstIndex { isWordCharacter($0) != isWord } ?? scalars.count
      runs.append((isWord, scalars[start..<end]))
      start = end
    }
    return runs
  }

  /// Python's `\w`: letters, characters with a numeric value, and the underscore.
  private static func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "_" || scalar.properties.numericType != nil { return true }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return true
    default: return false
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
    default: false
    }
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// Python's `str.lower`: a capital sigma at the end of a word becomes the final form.
  private static func lowercase(_ text: String) -> [Unicode.Scalar] {
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.flatMap { index -> [Unicode.Scalar] in
      let scalar = scalars[index]
      if scalar == "\u{3A3}" && isFinal(index, in: scalars) { return ["\u{3C2}"] }
      return Array(scalar.properties.lowercaseMapping.unicodeScalars)
    }
  }

  /// Whether a cased letter precedes `index` and none follows, ignoring case-ignorable characters.
  ///
  /// The condition `Final_Sigma` of the Unicode Standard, section 3.13.
  private static func isFinal(_ index: Int, in scalars: [Unicode.Scalar]) -> Bool {
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }
}

extension [String] {
  /// Whether all bytes are equal; `==` also holds for canonically equivalent strings.
  fileprivate func sameBytes(as other: [String]) -> Bool {
    count == other.count && zip(self, other).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }
}
