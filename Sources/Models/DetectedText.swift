import Foundation

/// A line of text with the discriminator's logit for each of its tokens.
///
/// Its JSON has `tokens`, `ids` and `logits`, all of the same length, including [CLS] and [SEP].
package struct DetectedText: Encodable, Sendable {
  /// The line, without its line end and without the brackets of marked words.
  package let text: String
  package internal(set) var tokens: [String] = []
  package internal(set) var ids: [Int32] = []
  /// For each token, the logit of the probability that it was replaced.
  package internal(set) var logits: [Float] = []
  /// The range of each token in `text`; nil for special tokens.
  var ranges: [Range<String.Index>?] = []
  /// The parts of `text` that are marked, in ascending order.
  package let marks: [Range<String.Index>]

  /// A line without marks.
  init(_ line: String) { (text, marks) = (line, []) }

  /// A line in which double brackets mark words, as in `pertaining [[two]] the liver`.
  ///
  /// They mark it only if they enclose at least one character and no bracket.
  init(marked line: String) {
    var (text, offsets, rest) = ("", [Range<Int>](), line[...])
    while let match = rest.firstMatch(of: /\[\[([^\[\]]+)\]\]/) {
      text += rest[..<match.range.lowerBound]
      offsets.append(text.utf8.count..<text.utf8.count + match.1.utf8.count)
      text += match.1
      rest = rest[match.range.upperBound...]
    }
    text += rest
    self.text = text
    let index = { [text] in text.utf8.index(text.startIndex, offsetBy: $0) }
    marks = offsets.map { index($0.lowerBound)..<index($0.upperBound) }
  }

  private enum CodingKeys: String, CodingKey {
    case tokens, ids, logits
  }

  /// The text, in which tokens with a probability above one half of having been replaced are
  /// marked.
  ///
  /// - Parameter colour: whether to mark with a terminal's red, or else with brackets and the
  ///   probability in percent.
  /// - Returns: the marked text.
  package func marked(colour: Bool) -> String {
    var result = ""
    var position = text.startIndex
    // Tokens of one character that was normalized to several may overlap; the first one is marked.
    for case (let range?, let logit) in zip(ranges, logits) where range.lowerBound >= position {
      result += text[position..<range.lowerBound]
      let probability = 1 / (1 + exp(-Double(logit)))
      let word = String(text[range])
      if probability > 0.5 {
        let percent = Int((100 * probability).rounded())
        result += colour ? "\u{1B}[1;31m\(word)\u{1B}[0m" : "[\(word) \(percent)%]"
      } else {
        result += word
      }
      position = range.upperBound
    }
    return result + text[position...]
  }
}
