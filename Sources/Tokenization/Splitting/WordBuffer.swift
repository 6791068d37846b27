/// The word that is being read: its normalised bytes and, where wanted, the places in the text that
/// they come from. The memory is borrowed from the splitter for the time of one call.
///
/// A word longer than `maximumCharacters` has no tokens, so its bytes beyond `saturation` are not
/// kept; its characters are counted all the same.
struct WordBuffer {
  /// The longest word, in characters, that is looked up. The `tokenizers` library and its
  /// `tokenizer.json` say 100; the reference's Python says 200. Equal ids with the library decide.
  static let maximumCharacters = 100
  /// The bytes that can be held.
  static let capacity = 512
  /// The count at which a word is certainly too long: 100 characters of four bytes and one more.
  private static let saturation = 404

  /// The normalised UTF-8.
  let bytes: UnsafeMutablePointer<UInt8>
  /// For each normalised byte, the range of the text's bytes that its character came from.
  let sources: UnsafeMutablePointer<Range<Int>>
  private(set) var count = 0
  private(set) var characters = 0
  /// Marks before this place stay before those that follow.
  private var orderFloor = 0

  init(bytes: UnsafeMutablePointer<UInt8>, sources: UnsafeMutablePointer<Range<Int>>) {
    self.bytes = bytes
    self.sources = sources
  }

  var isEmpty: Bool { count == 0 }
  var isTooLong: Bool { characters > Self.maximumCharacters }
  var contents: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

  mutating func clear() {
    count = 0
    characters = 0
    orderFloor = 0
  }

  /// Makes room for at least one character.
  @inline(__always)
  mutating func saturate() {
    if count > Self.saturation {
      // The word's place in the text holds what is not kept of it.
      let kept = Self.saturation - 1
      sources[kept] = Range(
        uncheckedBounds: (sources[kept].lowerBound, sources[count - 1].upperBound))
      count = Self.saturation
      orderFloor = count
    }
  }

  /// Takes over ASCII bytes that were written behind the end.
  @inline(__always)
  mutating func advance(by run: Int) {
    count += run
    characters += run
  }

  /// Forbids that later marks are ordered before what is here.
  mutating func closeOrder() { orderFloor = count }

  /// Adds the bytes of a character as they stand.
  @inline(__always)
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, from range: Range<Int>) {
    saturate()
    for place in range {
      bytes[count] = text[place]
      count += 1
    }
    characters += 1
  }

  /// Adds a character.
  @inline(__always)
  mutating func append(_ codePoint: UInt32) {
    saturate()
    count += Self.encode(codePoint, at: bytes + count)
    characters += 1
  }

  /// Notes that the bytes from `start` on come from `range` of the text.
  @inline(__always)
  mutating func setSources(from start: Int, to range: Range<Int>) {
    for place in min(start, Self.saturation, count)..<count { sources[place] = range }
  }

  /// Moves the mark that begins at `start` and ends the word before all marks of a higher class,
  /// as canonical ordering does.
  mutating func order(markAt start: Int, combiningClass: (UInt32) -> UInt8) {
    let moved = combiningClass(decode(at: start))
    var target = start
    while target > orderFloor {
      var previous = target - 1
      while previous > orderFloor && bytes[previous] & 0xC0 == 0x80 { previous -= 1 }
      guard combiningClass(decode(at: previous)) > moved else { break }
      target = previous
    }
    rotate(target, start)
  }

  /// Exchanges the bytes `middle..<count` with those of `start..<middle`.
  private mutating func rotate(_ start: Int, _ middle: Int) {
    for place in middle..<count {
      let byte = bytes[place]
      let source = sources[place]
      var hole = place
      while hole > start + (place - middle) {
        bytes[hole] = bytes[hole - 1]
        sources[hole] = sources[hole - 1]
        hole -= 1
      }
      bytes[hole] = byte
      sources[hole] = source
    }
  }

  private func decode(at place: Int) -> UInt32 {
    UTF8Decoding.decode(contents, at: place).codePoint
  }

  /// Writes UTF-8 and returns the number of bytes.
  @inline(__always)
  private static func encode(_ codePoint: UInt32, at place: UnsafeMutablePointer<UInt8>) -> Int {
    func tail(_ shift: UInt32) -> UInt8 {
      0x80 | UInt8(truncatingIfNeeded: codePoint >> shift & 63)
    }
    switch codePoint {
    case ..<0x80:
      place[0] = UInt8(truncatingIfNeeded: codePoint)
      return 1
    case ..<0x800:
      place[0] = 0xC0 | UInt8(truncatingIfNeeded: codePoint >> 6)
      place[1] = tail(0)
      return 2
    case ..<0x10000:
      place[0] = 0xE0 | UInt8(truncatingIfNeeded: codePoint >> 12)
      place[1] = tail(6)
      place[2] = tail(0)
      return 3
    default:
      place[0] = 0xF0 | UInt8(truncatingIfNeeded: codePoint >> 18)
      place[1] = tail(12)
      place[2] = tail(6)
      place[3] = tail(0)
      return 4
    }
  }
}
