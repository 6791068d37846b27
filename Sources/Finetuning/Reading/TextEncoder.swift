import Tokenization

/// Makes sequences of texts and pairs: `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
///
/// What is too long loses tokens from the end: of a pair the longer text loses the next token, of two
/// equally long ones the second, until both fit (the rule of BERT and of the reference).
package struct TextEncoder: Sendable {
  package let tokenizer: Tokenizer
  /// The longest sequence, special tokens counted.
  package let maximumLength: Int

  /// Throws `lengthTooSmall` below 8 tokens.
  package init(
    tokenizer: Tokenizer, maximumLength: Int, task: String
  ) throws(FinetuningError) {
    if maximumLength < 8 {
      throw .lengthTooSmall(length: maximumLength, needed: 8, task: task)
    }
    self.tokenizer = tokenizer
    self.maximumLength = maximumLength
  }

  /// The sequence of a text or pair, and how many tokens were left out.
  package func encode(
    _ first: String, _ second: String? = nil, target: Target = .none
  ) -> (example: EncodedExample, lost: Int) {
    var first = tokenizer.encode(first)
    var second = second.map(tokenizer.encode)
    let before = first.count + (second?.count ?? 0)
    let room = maximumLength - (second == nil ? 2 : 3)
    if var other = second {
      Self.shorten(&first, &other, to: room)
      second = other
    } else {
      first = Array(first.prefix(room))
    }
    let special = tokenizer.vocabulary.special
    let head = [special.classification] + first + [special.separator]
    let tail = second.map { $0 + [special.separator] } ?? []
    let types =
      [UInt8](repeating: 0, count: head.count) + [UInt8](repeating: 1, count: tail.count)
    let lost = before - first.count - (second?.count ?? 0)
    return (EncodedExample(tokens: head + tail, types: types, target: target), lost)
  }

  /// Takes tokens from the end of the longer list, of the second if both are as long.
  private static func shorten(_ first: inout [Int32], _ second: inout [Int32], to room: Int) {
    let excess = max(0, first.count + second.count - room)
    let difference = first.count - second.count
    // The longer one loses what it has more; what is left is shared, the second one first.
    let alone = min(excess, abs(difference))
    let shared = excess - alone
    first.removeLast((difference > 0 ? alone : 0) + shared / 2)
    second.removeLast((difference < 0 ? alone : 0) + (shared + 1) / 2)
  }
}
