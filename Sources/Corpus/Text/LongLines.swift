/// Splits lines that are too long to be one sentence.
package enum LongLines {
  /// The maximum length of a part, in bytes; longer lines are split.
  package static let longestLine = 2048

  /// The parts of a line, as byte ranges that cover it in order; an empty line has none.
  ///
  /// A line of at most `longestLine` bytes is one part. In a longer line, every part but the last
  /// ends after the last end of a sentence within `longestLine` bytes (. ! ? and a space, or
  /// U+3002, U+FF01, U+FF1F), or else after the last space, or else between two characters.
  package static func parts(_ line: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = 0
    while line.count - start > longestLine {
      let end = cut(line, start..<start + longestLine)
      result.append(start..<end)
      start = end
    }
    if start < line.count { result.append(start..<line.count) }
    return result
  }

  /// The index at which the part that begins at `reach.lowerBound` ends.
  ///
  /// The first eighth of `reach` is not searched, so that parts are not too short.
  private static func cut(_ line: UnsafeBufferPointer<UInt8>, _ reach: Range<Int>) -> Int {
    var space: Int?
    for index in reach.reversed().dropLast(longestLine / 8) {
      if line[index] == 0x20, index + 1 < reach.upperBound {
        if index > reach.lowerBound, [0x2E, 0x21, 0x3F].contains(line[index - 1]) {
          return index + 1
        }
        space = space ?? index + 1
      } else if endsWideSentence(line, index), index + 1 < reach.upperBound {
        return index + 1
      }
    }
    if let space { return space }
    // Move back over continuation bytes to the start of a character.
    var end = reach.upperBound
    while end > reach.lowerBound + 1, line[end] & 0xC0 == 0x80 { end -= 1 }
    return end
  }

  /// Whether byte `index` is the last of U+3002, U+FF01 or U+FF1F.
  private static func endsWideSentence(_ line: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
    guard index >= 2 else { return false }
    let bytes = (line[index - 2], line[index - 1], line[index])
    return bytes == (0xE3, 0x80, 0x82) || bytes == (0xEF, 0xBC, 0x81)
      || bytes == (0xEF, 0xBC, 0x9F)
  }
}
