import Foundation
import Layers
import Platform

/// How well a discriminator separates planted errors from the other words of the same lines.
///
///     var words = MarkedWords()
///     words.add(text)                 // a `DetectedText` with marks
///     words.summary(json: false)      // "AUC of 1 marked word against 7 other words: 0.86"
///
/// A word is a run of letters, digits and apostrophes. Its score is the highest logit among its
/// tokens.
package struct MarkedWords {
  /// The scores of the marked words, and of the other words of their lines.
  package private(set) var marked: [Float] = []
  package private(set) var others: [Float] = []

  package init() {}

  /// Adds the words of a line; does nothing for a line without marks.
  package mutating func add(_ text: DetectedText) {
    if text.marks.isEmpty { return }
    // Words, marks and tokens are in ascending order, so one pass suffices.
    var tokens = zip(text.ranges, text.logits).compactMap { range, logit in
      range.map { (range: $0, logit: logit) }
    }[...]
    var marks = text.marks[...]
    for word in text.words {
      tokens = tokens.drop { $0.range.upperBound <= word.lowerBound }
      marks = marks.drop { $0.upperBound <= word.lowerBound }
      let parts = tokens.prefix { $0.range.lowerBound < word.upperBound }
      guard let score = parts.map(\.logit).max() else { continue }
      if let mark = marks.first, mark.lowerBound < word.upperBound {
        marked.append(score)
      } else {
        others.append(score)
      }
    }
  }

  /// The area under the ROC curve of the scores; NaN without marked or without other words.
  var areaUnderCurve: Double { Layers.areaUnderCurve(positives: marked, negatives: others) }

  /// The area under the ROC curve in a sentence, or as one line of JSON (null for NaN); nil if no
  /// word was marked.
  package func summary(json: Bool) -> String? {
    if marked.isEmpty { return nil }
    if json {
      let fields: JSONText = [
        "auc": .number(orNull: areaUnderCurve), "marked_words": .number(marked.count),
        "other_words": .number(others.count),
      ]
      return fields.text
    }
    return "AUC of \(marked.count.of("marked word")) against \(others.count.of("other word")): "
      + (others.isEmpty ? "undefined" : String(format: "%.2f", areaUnderCurve))
  }
}

extension DetectedText {
  /// The runs of letters, digits and apostrophes.
  fileprivate var words: [Range<String.Index>] {
    var (words, start) = ([Range<String.Index>](), String.Index?.none)
    for index in text.indices {
      let character = text[index]
      if character.isLetter || character.isNumber || "'’".contains(character) {
        start = start ?? index
      } else if let first = start {
        words.append(first..<index)
        start = nil
      }
    }
    if let start { words.append(start..<text.endIndex) }
    return words
  }
}
