/// The current word: its normalised bytes and, optionally, their source ranges in the text.
///
/// The splitter owns the memory, which is valid for one call. A word longer than
/// `maximumCharacters` always becomes `[UNK]`, so bytes beyond `saturation` are discarded; all
/// characters are counted.
struct WordBuffer {
  /// The maximum length, in characters, of a word that is looked up.
  ///
  /// The `tokenizers` library uses 100, the Python code of the ELECTRA reference 200. The ids here
  /// equal those of the library.
  static let maximumCharacters = 100
  /// The capacity of the buffer in bytes.
  static let capacity = 512
  /// The bytes that are kept of a word: 101 characters of four bytes each.
  ///
  /// Every word with more bytes has more than 100 characters.
  private static let saturation = 404

  /// The normalised UTF-8.
  let bytes: UnsafeMutablePointer<UInt8>
  /// For each normalised byte, the range of the text's bytes that its character came from.
  let sources: UnsafeMutablePointer<Range<Int>>
  /// Whether `sources` is initialised.
  private let hasSources: Bool
  private(set) var count = 0
  private(set) var characters = 0
  /// Marks are not moved before this index.
  private var orderFloor = 0

  init(
    bytes: UnsafeMutablePointer<UInt8>, sources: UnsafeMutablePointer<Range<Int>>, hasSources: Bool
  ) {
    self.bytes = bytes
    self.sources = sources
    self.hasSources = hasSources
  }

  var isEmpty: Bool { count == 0 }
  var isTooLong: Bool { characters > Self.maximumCharacters }
  var contents: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

  mutating func clear() {
    count = 0
    characters = 0
    orderFloor = 0
  }

  /// Discards bytes beyond `saturation`, so that at least one more character fits.
  @inline(__always)
  mutating func saturate() {
    if count > Self.saturation {
      // The last kept byte takes over the source ranges of the discarded ones, so that the range of
      // the whole word stays complete.
      let kept = Self.saturation - 1
      if hasSources {
        let (first, last) = (sources[kept], sources[count - 1])
        sources[kept] =
          min(first.lowerBound, last.lowerBound)..<max(first.upperBound, last.upperBound)
      }
      count = Self.saturation
      orderFloor = count
    }
  }

  /// Includes ASCII bytes that the caller has written after the end.
  @inline(__always)
  mutating func advance(by run: Int) {
    count += run
    characters += run
  }

  /// Prevents later marks from being moved before the current end.
  mutating func closeOrder() { orderFloor = count }

  /// Appends the bytes of a character unchanged.
  @inline(__always)
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, from range: Range<Int>) {
    saturate()
    for index in range {
      bytes[count] = text[index]
      count += 1
    }
    characters += 1
  }

  /// Appends a character.
  @inline(__always)
  mutating func append(_ codePoint: UInt32) {
    saturate()
    count += Self.encode(codePoint, at: bytes + count)
    characters += 1
  }

  /// Sets `range` of the text as the source of all bytes from `start` on.
  @inline(__always)
  mutating func setSources(from start: Int, to range: Range<Int>) {
    for index in min(start, Self.saturation, count)..<count { sources[index] = range }
  }

  /// Moves the mark at the end of the word before all preceding marks of a higher class.
  ///
  /// The mark begins at `start`. This is one step of the Canonical Ordering Algorithm (Unicode,
  /// section 3.11).
  mutating func order(markAt start: Int, combiningClass: (UInt32) -> UInt8) {
    let moved = combiningClass(decode(at: start))
    var target = start
    while target > orderFloor {
      var previous = target - 1
      // Skip continuation bytes back to the first byte of the previous character.
      while previous > orderFloor && bytes[previous] & 0xC0 == 0x80 { previous -= 1 }
      guard combiningClass(decode(at: previous)) > moved else { break }
      target = previous
    }
    rotate(target, start)
  }

  /// Rotates `start..<count` so that the bytes from `middle` on come first.
  private mutating func rotate(_ start: Int, _ middle: Int) {
    for index in middle..<count {
      let byte = bytes[index]
      let source = sources[index]
      var hole = index
      while hole > start + (index - middle) {
        bytes[hole] = bytes[hole - 1]
        sources[hole] = sources[hole - 1]
        hole -= 1
      }
      bytes[hole] = byte
      sources[hole] = source
    }
  }

  private func decode(at index: Int) -> UInt32 {
    UTF8Decoding.decode(contents, at: index).codePoint
  }

  /// Writes the UTF-8 of `codePoint` and returns the number of bytes.
  @inline(__always)
  private static func encode(_ codePoint: UInt32, at target: UnsafeMutablePointer<UInt8>) -> Int {
    func tail(_ shift: UInt32) -> UInt8 {
      0x80 | UInt8(truncatingIfNeeded: codePoint >> shift & 63)
    }
    switch codePoint {
    case ..<0x80:
      target[0] = UInt8(truncatingIfNeeded: codePoint)
      return 1
    case ..<0x800:
      target[0] = 0xC0 | UInt8(truncatingIfNeeded: codePoint >> 6)
      target[1] = tail(0)
      return 2
    case ..<0x10000:
      target[0] = 0xE0 | UInt8(truncatingIfNeeded: codePoint >> 12)
      target[1] = tail(6)
      target[2] = tail(0)
      return 3
    default:
      target[0] = 0xF0 | UInt8(truncatingIfNeeded: codePoint >> 18)
      target[1] = tail(12)
      target[2] = tail(6)
      target[3] = tail(0)
      return 4
    }
  }
}
