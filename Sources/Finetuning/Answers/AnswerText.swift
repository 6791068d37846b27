/// The normalisation and comparison of SQuAD's evaluators.
///
/// They are Python; what a word, a blank or a small letter is follows Python's rules, so that every text
/// compares as it does there.
package enum AnswerText {
  /// The words of an answer: in small letters, without ASCII's punctuation and the articles a, an, the.
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

  /// Whether an answer equals a gold one.
  static func isExact(_ answer: [String], _ gold: [String]) -> Bool { answer.sameBytes(as: gold) }

  /// The F1 of the words of an answer, counted as often as they stand there. If one side has no words,
  /// SQuAD 2.0 gives 1 if the other has none either, SQuAD 1.1 always 0.
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

  /// Runs of word characters and of others, in turn.
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

  /// `\w`: letters, everything with a numeric value, and the underscore.
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

  /// Small letters, a capital sigma at the end of a word becoming the small final one.
  private static func lowercase(_ text: String) -> [Unicode.Scalar] {
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.flatMap { place -> [Unicode.Scalar] in
      let scalar = scalars[place]
      if scalar == "\u{3A3}" && isFinal(place, in: scalars) { return ["\u{3C2}"] }
      return Array(scalar.properties.lowercaseMapping.unicodeScalars)
    }
  }

  /// Whether a letter stands before a place and none behind it, what has no case passed over.
  private static func isFinal(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
    let before = scalars[..<place].last { !$0.properties.isCaseIgnorable }
    let behind = scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && behind?.properties.isCased != true
  }
}

extension [String] {
  /// Whether all bytes are equal; Swift holds canonically equivalent strings for equal.
  fileprivate func sameBytes(as other: [String]) -> Bool {
    count == other.count && zip(self, other).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }
}
