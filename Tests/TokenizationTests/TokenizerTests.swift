import TestSupport
import Testing
import Tokenization

struct TokenizerTests {
  private static let tokens = [
    "un", "##aff", "##able", "the", "cafe", "café", "##s", ".", "'", "中", "i", "##i", "a", "A",
    "ss", "ß", "[", "mask", "]", "##\u{307}", "##b",
  ]

  private func encode(_ text: String, _ normalization: TextNormalization) throws -> [String] {
    let vocabulary = try vocabulary(Self.tokens)
    let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: normalization)
    return tokenizer.encode(text).map { vocabulary.tokens[Int($0)] }
  }

  @Test(arguments: [
    ("unaffable the", ["un", "##aff", "##able", "the"]),
    ("  The\tCafés.\r\n", ["the", "cafe", "##s", "."]),
    ("the中the", ["the", "中", "the"]),
    ("unx the", ["[UNK]", "the"]),
    ("th\u{0}e\u{AD}", ["the"]),
    ("İI", ["i", "##i"]),
    ("a[MASK]a [mask][SEP]", ["a", "[MASK]", "a", "[", "mask", "]", "[SEP]"]),
    ("", []),
  ])
  func uncasedTextHasTheKnownTokens(text: String, tokens: [String]) throws {
    #expect(try encode(text, .uncased) == tokens)
  }

  @Test
  func accentsAndCaseAreKeptOnRequest() throws {
    #expect(try encode("CAFÉ İ", .keepAccents) == ["café", "i", "##\u{307}"])
    #expect(try encode("A a CAFÉ", .cased) == ["A", "a", "[UNK]"])
  }

  @Test
  func wordsOfMoreThanAHundredCharactersAreUnknown() throws {
    let tokens = try ["a", "é", "\u{10428}"].map { part in
      try [100, 101, 200, 1000].map { count in
        let vocabulary = try vocabulary([part, "##" + part])
        let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: .keepAccents)
        return tokenizer.encode(String(repeating: part, count: count)).count
      }
    }
    #expect(tokens == [[100, 1, 1, 1], [100, 1, 1, 1], [100, 1, 1, 1]])
  }

  @Test
  func idsAreAppended() throws {
    let tokenizer = Tokenizer(vocabulary: try vocabulary(Self.tokens), normalization: .uncased)
    var ids: [Int32] = [7]
    Array("the.".utf8).withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
    #expect(ids == [7, 8, 12])
  }

  @Test
  func brokenBytesDoNoHarm() throws {
    let tokenizer = Tokenizer(vocabulary: try vocabulary(Self.tokens), normalization: .uncased)
    var draws = Draws(state: 1)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0..<40, using: &draws)).map { _ in
        UInt8.random(in: 0...255, using: &draws) | 0x80 * UInt8.random(in: 0...1, using: &draws)
      }
      var ids: [Int32] = []
      bytes.withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
      #expect(ids.allSatisfy { 0..<Int32(Self.tokens.count + 5) ~= $0 })
    }
  }

  @Test
  func wordsComeWithTheirPlaces() throws {
    let tokenizer = Tokenizer(vocabulary: try vocabulary(Self.tokens), normalization: .uncased)
    let text = "Un\u{0}affable, 中[MASK]CAFE\u{301}S İ x"
    let words = tokenizer.tokens(of: text)
    #expect(words.map(\.id) == tokenizer.encode(text))
    #expect(
      words.map { Array(text[$0.range].unicodeScalars) }
        == ["Un", "aff", "able", ",", "中", "[MASK]", "CAFE", "S", "İ", "x"].map {
          Array($0.unicodeScalars)
        })
  }
  @Test(arguments: ["x", "é", "ह", "xह", "𐐷x"])
  func aWordTooLongToBeKeptHasItsWholePlace(piece: String) throws {
    let tokenizer = Tokenizer(vocabulary: try vocabulary(Self.tokens), normalization: .cased)
    for count in 95..<560 {
      let word = String(repeating: piece, count: count)
      let text = "x \(word) x"
      #expect(tokenizer.tokens(of: text).map { String(text[$0.range]) } == ["x", word, "x"])
    }
  }
}
