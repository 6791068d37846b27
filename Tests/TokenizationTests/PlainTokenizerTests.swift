import TestSupport
import Testing
import Tokenization

/// The fast tokenizer equals the simple one on random text.
struct PlainTokenizerTests {
  /// Ranges of characters that Unicode 8 has; all ranges are equally likely.
  private static let stretches: [ClosedRange<UInt32>] = [
    0x20...0x7E, 0x61...0x66, 0x61...0x66, 0x09...0x0D, 0xA0...0x17F, 0x300...0x34E,
    0x391...0x3C9, 0x410...0x44F, 0x5D0...0x5EA, 0x5B0...0x5B9, 0x627...0x652, 0x905...0x939,
    0x93E...0x94D, 0xE01...0xE3A, 0x1E00...0x1EF9, 0x2010...0x2029, 0x3041...0x3094,
    0x3099...0x309A, 0x30A1...0x30FA, 0x4E00...0x4E20, 0xAC00...0xAC40, 0xF900...0xF920,
    0x1F600...0x1F610, 0x20000...0x20010, 0xE000...0xE003, 0xFFFD...0xFFFD,
  ]

  private static func text(_ draws: inout Draws) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...30, using: &draws) {
      let stretch = stretches[Int.random(in: stretches.indices, using: &draws)]
      if let scalar = Unicode.Scalar(UInt32.random(in: stretch, using: &draws)) {
        text.unicodeScalars.append(scalar)
      }
      if Int.random(in: 0..<40, using: &draws) == 0 {
        text += SpecialTokens.names[Int.random(in: 0..<5, using: &draws)]
      }
    }
    return text
  }

  /// Random parts, of up to three characters, of random words.
  private static func vocabulary(
    _ normalization: TextNormalization, _ draws: inout Draws
  ) throws -> Vocabulary {
    let none = try Vocabulary(tokens: SpecialTokens.names, source: "test")
    let plain = PlainTokenizer(none, normalization)
    var tokens: Set<[Unicode.Scalar]> = []
    for _ in 0..<3000 {
      for word in plain.words(of: text(&draws)) {
        for start in word.indices {
          let length = Int.random(in: 1...3, using: &draws)
          let prefix = start == 0 ? [] : Array("##".unicodeScalars)
          tokens.insert(prefix + word[start...].prefix(length))
        }
      }
    }
    return try Vocabulary(
      tokens: SpecialTokens.names
        + tokens.map { String(String.UnicodeScalarView($0)) }.sorted {
          $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
        },
      source: "test")
  }

  @Test(arguments: [0, 1, 2, 3])
  func theFastTokenizerAgreesWithThePlainOne(index: Int) throws {
    let normalization = normalizations[index].value
    var draws = Draws(state: 11)
    let vocabulary = try Self.vocabulary(normalization, &draws)
    let plain = PlainTokenizer(vocabulary, normalization)
    let fast = Tokenizer(vocabulary: vocabulary, normalization: normalization)
    var known = 0
    for _ in 0..<4000 {
      let text = Self.text(&draws)
      let expected = plain.encode(text)
      #expect(fast.encode(text) == expected, "\(text.unicodeScalars.map(\.value))")
      known += expected.count { $0 != vocabulary.special.unknown }
    }
    #expect(known > 10_000)
  }
}
