import Tokenization

/// A passage as tokens that know which bytes of the text they stand for, so that answers are found in
/// the tokens and cut from the text as it stands: case, accents and blanks included.
struct EncodedPassage: Sendable {
  let tokens: [Int32]
  private let bytes: [UInt8]
  /// For each token the range of bytes. (tokens)
  private let ranges: [Range<Int>]

  init(_ text: String, by tokenizer: Tokenizer) {
    bytes = Array(text.utf8)
    let pieces = bytes.withUnsafeBufferPointer { tokenizer.tokenRanges(of: $0) }
    tokens = pieces.map(\.id)
    ranges = pieces.map(\.range)
  }

  /// The text from the first to the last of some tokens. Marks that belong to the last character are
  /// taken along where normalisation had dropped them.
  func text(of tokens: ClosedRange<Int>) -> String {
    let part = ranges[tokens]
    let start = part.map(\.lowerBound).min() ?? 0
    var end = part.map(\.upperBound).max() ?? start
    let rest = String(decoding: bytes[end...].prefix(64), as: UTF8.self).unicodeScalars
    for scalar in rest {
      guard scalar.properties.generalCategory == .nonspacingMark else { break }
      end += String(scalar).utf8.count
    }
    return String(decoding: bytes[start..<min(end, bytes.count)], as: UTF8.self)
  }

  /// The tokens that share a character with an answer; nil if its text is nowhere in the passage.
  ///
  /// Where the text at the stated place is another, the nearest place that has it counts.
  func tokens(of answer: GoldAnswer) -> ClosedRange<Int>? {
    let wanted = Array(answer.text.utf8)
    guard !wanted.isEmpty, let start = place(of: wanted, near: byte(ofCodePoint: answer.start))
    else { return nil }
    let end = start + wanted.count
    guard let first = ranges.firstIndex(where: { $0.upperBound > start }),
      let last = ranges.lastIndex(where: { $0.lowerBound < end }), first <= last
    else { return nil }
    return first...last
  }

  /// The byte at which a code point begins; the end for one behind the text.
  private func byte(ofCodePoint number: Int) -> Int {
    var left = number
    for (place, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
      if left <= 0 { return place }
      left -= 1
    }
    return bytes.count
  }

  private func place(of wanted: [UInt8], near start: Int) -> Int? {
    func isHere(_ place: Int) -> Bool {
      place >= 0 && place + wanted.count <= bytes.count
        && bytes[place..<place + wanted.count].elementsEqual(wanted)
    }
    if isHere(start) { return start }
    return (1...max(1, bytes.count)).lazy.flatMap { [start - $0, start + $0] }.first(where: isHere)
  }
}
