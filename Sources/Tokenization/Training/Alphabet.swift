/// The initial tokens of a vocabulary: the most frequent characters of a text.
///
/// Each character is a token and, if it occurs inside words, also a token with the prefix `##`.
struct Alphabet {
  /// The characters in the order of their code points, then those with `##` in the same order.
  let tokens: [[UInt8]]
  /// The number of characters in the alphabet, and of those that the limit excluded.
  let count: Int
  let omitted: Int
  /// For each code point, the index in `tokens` of its token at the start of a word and inside, or
  /// -1.
  private let initial: [Int32]
  private let continuing: [Int32]

  /// An alphabet without an explicit limit has the `defaultLimit` most frequent characters, and
  /// more until it covers this share of all occurrences of characters.
  private static let coverage = 0.9995
  private static let defaultLimit = 1000

  /// Selects the `limit` most frequent characters; the lower code point wins a tie.
  ///
  /// If `limit` is nil, 1000 characters are selected, and more until they cover 99.95 % of the
  /// text; scripts with one character per word or syllable need thousands. These additional
  /// characters do not raise the number of tokens above `room`.
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
    for (index, codePoint) in kept.enumerated() { initial[codePoint] = Int32(index) }
    for (index, codePoint) in inside.enumerated() {
      continuing[codePoint] = Int32(kept.count + index)
    }
    self.initial = initial
    self.continuing = continuing
    tokens =
      kept.map { Self.bytes(of: $0) } + inside.map { Array("##".utf8) + Self.bytes(of: $0) }
  }

  /// The number of characters of an alphabet without an explicit limit; `characters` are ranked.
  private static func covering(
    _ characters: [(occurrences: Int, tokens: Int)], room: Int
  ) -> Int {
    let wanted = coverage * Double(characters.reduce(0) { $0 + $1.occurrences })
    var (count, covered, tokens) = (0, 0, 0)
    for character in characters {
      tokens += character.tokens
      if count >= defaultLimit && (Double(covered) >= wanted || tokens > room) { break }
      covered += character.occurrences
      count += 1
    }
    return count
  }

  /// The indices in `tokens` of a word's characters, plus `offset`; nil if the alphabet lacks one.
  func ids(of word: UnsafeBufferPointer<UInt8>, offset: Int) -> [Int32]? {
    var ids: [Int32] = []
    var isCovered = true
    Self.forEachCharacter(of: word) { codePoint, isFirst in
      let index = isFirst ? initial[codePoint] : continuing[codePoint]
      if index < 0 { isCovered = false }
      ids.append(index + Int32(offset))
    }
    return isCovered ? ids : nil
  }

  private static func forEachCharacter(
    of word: UnsafeBufferPointer<UInt8>, _ body: (_ codePoint: Int, _ isFirst: Bool) -> Void
  ) {
    var index = 0
    while index < word.count {
      let (codePoint, length) = UTF8Decoding.decode(word, at: index)
      body(Int(codePoint), index == 0)
      index += length
    }
  }

  private static func bytes(of codePoint: Int) -> [UInt8] {
    Unicode.Scalar(UInt32(codePoint)).map { Array(String($0).utf8) } ?? []
  }
}
