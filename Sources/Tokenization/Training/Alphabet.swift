/// The characters that tokens are made of: the most frequent ones of a text, each alone and, if it
/// stands inside words, with `##` before it.
struct Alphabet {
  /// The characters in the order of their numbers, then those with `##` in the same order.
  let tokens: [[UInt8]]
  /// The number of characters, and of those that were left out.
  let count: Int
  let omitted: Int
  /// For each code point, its place in `tokens` at the start of a word and inside, or -1.
  private let initial: [Int32]
  private let continuing: [Int32]

  /// The least share of all sightings of characters that an alphabet without a limit covers, and the
  /// characters that it holds in any case, if the text has as many.
  private static let coverage = 0.9995
  private static let usualCount = 1000

  /// The `limit` most frequent characters of `words`; of equally frequent ones, the lower numbers.
  ///
  /// - Parameters:
  ///   - limit: nil for 1000, or for as many more as it takes to cover 99.95 % of the text; scripts
  ///     with a character for a word or a syllable have thousands.
  ///   - room: the number of tokens that the alphabet is not to exceed beyond those 1000.
  init(of words: WordTable, limit: Int?, room: Int) {
    var counts = [Int](repeating: 0, count: 0x110000)
    var isInside = [Bool](repeating: false, count: 0x110000)
    words.visit { word, count in
      Self.forEachCharacter(of: word) { codePoint, isFirst in
        counts[codePoint] += count
        if !isFirst { isInside[codePoint] = true }
      }
    }
    let seen = counts.indices.filter { counts[$0] > 0 }
    let ranked = seen.sorted { (counts[$1], $0) < (counts[$0], $1) }
    let limit =
      limit
      ?? Self.covering(ranked.map { (counts[$0], isInside[$0] ? 2 : 1) }, room: room)
    let kept = ranked.prefix(max(0, limit)).sorted()
    count = kept.count
    omitted = ranked.count - kept.count
    let inside = kept.filter { isInside[$0] }
    var initial = [Int32](repeating: -1, count: 0x110000)
    var continuing = initial
    for (place, codePoint) in kept.enumerated() { initial[codePoint] = Int32(place) }
    for (place, codePoint) in inside.enumerated() {
      continuing[codePoint] = Int32(kept.count + place)
    }
    self.initial = initial
    self.continuing = continuing
    tokens =
      kept.map { Self.bytes(of: $0) } + inside.map { Array("##".utf8) + Self.bytes(of: $0) }
  }

  /// How many characters of the most frequent ones cover enough of the text.
  private static func covering(
    _ characters: [(sightings: Int, tokens: Int)], room: Int
  ) -> Int {
    let wanted = coverage * Double(characters.reduce(0) { $0 + $1.sightings })
    var (count, covered, tokens) = (0, 0, 0)
    for character in characters {
      tokens += character.tokens
      if count >= usualCount && (Double(covered) >= wanted || tokens > room) { break }
      covered += character.sightings
      count += 1
    }
    return count
  }

  /// The places in `tokens` of a word's characters plus `offset`; nil if one is not in the alphabet.
  func ids(of word: UnsafeBufferPointer<UInt8>, offset: Int) -> [Int32]? {
    var ids: [Int32] = []
    var isCovered = true
    Self.forEachCharacter(of: word) { codePoint, isFirst in
      let place = isFirst ? initial[codePoint] : continuing[codePoint]
      if place < 0 { isCovered = false }
      ids.append(place + Int32(offset))
    }
    return isCovered ? ids : nil
  }

  private static func forEachCharacter(
    of word: UnsafeBufferPointer<UInt8>, _ body: (_ codePoint: Int, _ isFirst: Bool) -> Void
  ) {
    var place = 0
    while place < word.count {
      let (codePoint, length) = UTF8Decoding.decode(word, at: place)
      body(Int(codePoint), place == 0)
      place += length
    }
  }

  private static func bytes(of codePoint: Int) -> [UInt8] {
    Unicode.Scalar(UInt32(codePoint)).map { Array(String($0).utf8) } ?? []
  }
}
