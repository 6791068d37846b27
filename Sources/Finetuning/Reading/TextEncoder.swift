import Tokenization

/// Encodes texts and pairs as `[CLS] A [SEP]` or `[CLS] A [SEP] B [SEP]`.
///
/// Texts that are too long are truncated at their end. Of a pair, the longer text loses one token
/// at a time, the second text if both are equally long, until both fit (the rule of BERT and of the
/// reference).
package struct TextEncoder: Sendable {
  package let tokenizer: Tokenizer
  /// The largest sequence length in tokens, including special tokens.
  package let maximumLength: Int

  /// Creates an encoder; `task` is the name for messages.
  ///
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

  /// Encodes a text or a pair; `removed` is the number of tokens that were truncated.
  package func encode(
    _ first: String, _ second: String? = nil, target: Target = .none
  ) -> (example: EncodedExample, removed: Int) {
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
    let removed = before - first.count - (second?.count ?? 0)
    return (EncodedExample(head, tail, target: target), removed)
  }

  /// Truncates two lists to `room` tokens together, by the rule of this type.
  private static func shorten(_ first: inout [Int32], _ second: inout [Int32], to room: Int) {
    let excess = max(0, first.count + second.count - room)
    let difference = first.count - second.count
    // In closed form: the longer list first loses up to the difference; then both lose tokens in
    // turn, the second one first.
    let alone = min(excess, abs(difference))
    let shared = excess - alone
    first.removeLast((difference > 0 ? alone : 0) + shared / 2)
    second.removeLast((difference < 0 ? alone : 0) + (shared + 1) / 2)
  }
}
