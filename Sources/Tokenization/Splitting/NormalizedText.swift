/// Text as a sequence of characters, each with the range of bytes in the original text that it
/// comes from.
struct NormalizedText {
  private struct Character {
    let value: UInt32
    let source: Range<Int>
  }

  private var characters: [Character] = []

  /// Decodes the bytes `range` of UTF-8 text; sources are offsets in the whole text.
  init(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    characters.reserveCapacity(range.count)
    let part = UnsafeBufferPointer(rebasing: text[range])
    var offset = 0
    while offset < part.count {
      let (codePoint, length) = UTF8Decoding.decode(part, at: offset)
      let start = range.lowerBound + offset
      characters.append(Character(value: codePoint, source: start..<start + length))
      offset += length
    }
  }

  /// Applies a normalizer, segment by segment (see `NormalizerTable`).
  ///
  /// Each character of a segment's form comes from the whole segment.
  mutating func apply(_ table: NormalizerTable) {
    var result: [Character] = []
    result.reserveCapacity(characters.count)
    var index = 0
    while index < characters.count {
      let first = characters[index]
      let role = table.role(first.value)
      var end = index + 1
      while end < characters.count, table.role(characters[end].value) == .continuing { end += 1 }
      if end > index + 1 || role == .continuing {
        let segment = characters[index..<end]
        let source = first.source.lowerBound..<characters[end - 1].source.upperBound
        for value in table.segment(segment.map(\.value)) {
          result.append(Character(value: value, source: source))
        }
      } else if role == .replaced {
        for value in table.replacement(first.value) {
          result.append(Character(value: value, source: first.source))
        }
      } else {
        result.append(first)
      }
      index = end
    }
    characters = result
  }

  /// The UTF-8 of the characters and, if wanted, the source of each byte.
  func encoded(wantsSources: Bool) -> (bytes: [UInt8], sources: [Range<Int>]) {
    var bytes: [UInt8] = []
    var sources: [Range<Int>] = []
    bytes.reserveCapacity(2 * characters.count)
    for character in characters {
      if character.value < 0x80 {
        bytes.append(UInt8(character.value))
      } else if let scalar = Unicode.Scalar(character.value) {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? .init())
      }
      if wantsSources {
        while sources.count < bytes.count { sources.append(character.source) }
      }
    }
    return (bytes, sources)
  }
}
