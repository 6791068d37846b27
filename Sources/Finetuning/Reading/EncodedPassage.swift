import Tokenization

/// A passage as tokens with their byte ranges in the text.
///
/// The ranges map an answer's position to tokens, and tokens back to the unnormalised text with its
/// case, accents and blanks.
struct EncodedPassage: Sendable {
  let tokens: [Int32]
  private let bytes: [UInt8]
  /// The range of bytes of each token.
  private let ranges: [Range<Int>]

  init(_ text: String, by tokenizer: Tokenizer) {
    bytes = Array(text.utf8)
    let pieces = bytes.withUnsafeBufferPointer { tokenizer.tokenRanges(of: $0) }
    tokens = pieces.map(\.id)
    ranges = pieces.map(\.range)
  }

  /// The text from the first to the last token of a range.
  ///
  /// Includes combining marks of the last character, which normalisation removes from the tokens.
  func text(of tokens: ClosedRange<Int>) -> String {
    let part = ranges[tokens]
    let start = part.map(\.lowerBound).min() ?? 0
    var end = part.map(\.upperBound).max() ?? start
    // A character has few marks, so a short prefix is enough.
    let rest = String(decoding: bytes[end...].prefix(64), as: UTF8.self).unicodeScalars
    for scalar in rest {
      guard scalar.properties.generalCategory == .nonspacingMark else { break }
      end += String(scalar).utf8.count
    }
    return String(decoding: bytes[start..<min(end, bytes.count)], as: UTF8.self)
  }

  /// The tokens that overlap an answer; nil if its text does not occur in the passage.
  ///
  /// If the answer's text is not at the stated position, the nearest occurrence is used.
  func tokens(of answer: GoldAnswer) -> ClosedRange<Int>? {
    let wanted = Array(answer.text.utf8)
    guard !wanted.isEmpty, let start = position(of: wanted, near: byte(ofCodePoint: answer.start))
    else { return nil }
    let end = start + wanted.count
    guard let first = ranges.firstIndex(where: { $0.upperBound > start }),
      let last = ranges.lastIndex(where: { $0.lowerBound < end }), first <= last
    else { return nil }
    return first...last
  }

  /// The index of the byte at which a code point begins; the number of bytes if the text is
  /// shorter.
  private func byte(ofCodePoint number: Int) -> Int {
    var remaining = number
    // Continuation bytes of UTF-8 are 10xxxxxx.
    for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
      if remaining <= 0 { return index }
      remaining -= 1
    }
    return bytes.count
  }

  /// The occurrence of `wanted` that is nearest to byte `start`; of two the first.
  private func position(of wanted: [UInt8], near start: Int) -> Int? {
    func occurs(at index: Int) -> Bool {
      index >= 0 && index + wanted.count <= bytes.count
        && bytes[index..<index + wanted.count].elementsEqual(wanted)
    }
    if occurs(at: start) { return start }
    return (1...max(1, bytes.count)).lazy.flatMap { [start - $0, start + $0] }
      .first(where: occurs(at:))
  }
}
