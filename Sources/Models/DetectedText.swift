import Foundation

/// A line of text with the discriminator's logit for each of its tokens.
///
/// Its JSON has tokens, ids and logits, [CLS] and [SEP] included.
package struct DetectedText: Encodable, Sendable {
  /// The line.
  package let text: String
  package internal(set) var tokens: [String] = []
  package internal(set) var ids: [Int32] = []
  /// The logit of having been replaced, for each token.
  package internal(set) var logits: [Float] = []
  /// Where each token is in the text; nil for the special ones.
  var ranges: [Range<String.Index>?] = []

  init(_ text: String) { self.text = text }

  private enum CodingKeys: String, CodingKey {
    case tokens, ids, logits
  }

  /// The text with tokens that were probably replaced marked by their probability, in red on a terminal.
  ///
  /// - Parameter colour: whether to mark by the colour and not by the probability in brackets.
  /// - Returns: the text; only tokens with a probability above a half are marked.
  package func marked(colour: Bool) -> String {
    var result = ""
    var position = text.startIndex
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
