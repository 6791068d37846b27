import Foundation
import Platform
import Testing
import Tokenization

/// Normalizers beside BERT's have the ids of `tokenizers`, recorded by `Fixtures/make.py`.
struct NormalizerTests {
  private func tokenizer(_ names: String, _ vocabulary: Vocabulary) throws -> Tokenizer {
    let normalizers = try names.split(separator: " ").map {
      try #require(Normalizer(rawValue: String($0)))
    }
    return Tokenizer(
      vocabulary: vocabulary,
      normalization: TextNormalization(
        lowercase: false, stripAccents: false, cleansText: false, separatesIdeographs: false,
        normalizers: normalizers))
  }

  @Test
  func sequencesHaveTheIDsOfTokenizers() throws {
    let vocabulary = try allCharacters()
    let expected = try JSONDecoder().decode(
      [String: [String]].self, from: fixture("normalizers.json"))
    let lines = try [UInt8](fixture("normalizers.txt")).split(separator: UInt8(ascii: "\n"))
      .map { String(decoding: $0, as: UTF8.self) }
    #expect(expected.count == 7 && lines.count == 600)
    for (names, digests) in expected {
      let tokenizer = try tokenizer(names, vocabulary)
      for (block, digest) in digests.prefix(0x110).enumerated() {
        let ours = digestOfCodePoints(from: UInt32(block) * 4096, by: tokenizer)
        #expect(ours == digest, "\(names), code points from U+\(String(block * 4096, radix: 16))")
      }
      for (part, digest) in digests.dropFirst(0x110).enumerated() {
        let texts = lines[part * 100..<(part + 1) * 100]
        #expect(idDigest(of: texts, by: tokenizer) == digest, "\(names), part \(part) of the lines")
      }
    }
  }

  /// Characters that are made from several get the range of all of them.
  @Test
  func rangesAreThoseOfTheOriginalText() throws {
    let vocabulary = try vocabulary(["a", "##é", "b", "fi", "2", "[x]"])
    let added = vocabulary.special.added + [AddedToken(name: "[x]", id: 10, isSpecial: true)]
    let tokenizer = Tokenizer(
      vocabulary: vocabulary,
      normalization: TextNormalization(
        lowercase: false, stripAccents: false, normalizers: [.nfkc, .lowercase]),
      addedTokens: added)
    let text = "Ae\u{301} [x]b ﬁ²"
    let tokens = tokenizer.tokens(of: text)
    #expect(tokens.map { String(text[$0.range]) } == ["A", "e\u{301}", "[x]", "b", "ﬁ²"])
    #expect(tokens.map(\.id) == [5, 6, 10, 7, 1])
    // The same name from other characters is no added token, as in `tokenizers`.
    #expect(tokenizer.encode("［x］").count == 3)
    #expect(tokenizer.encode("[X]").count == 3)
  }

  /// Marks are ordered by class and, within a class, by position, also in long runs.
  @Test(arguments: [2, 16, 17, 18, 90])
  func runsOfMarksAreOrdered(count: Int) throws {
    let marks = "\u{345}\u{301}\u{323}\u{300}\u{327}\u{334}\u{331}".unicodeScalars.map(\.self)
    let vocabulary = try vocabulary(["a"] + marks.map { "##\($0)" })
    let run = (0..<count).map { marks[($0 * $0 + $0 / 3) % marks.count] }
    let ordered = run.enumerated().sorted { first, second in
      let orders = [first, second].map {
        $0.element.properties.canonicalCombiningClass.rawValue
      }
      return (orders[0], first.offset) < (orders[1], second.offset)
    }.map(\.element)
    func text(_ marks: [Unicode.Scalar]) -> String {
      "a" + String(String.UnicodeScalarView(marks))
    }
    let expected = try tokenizer("", vocabulary).encode(text(ordered))
    #expect(expected.count == count + 1)
    #expect(try tokenizer("NFD", vocabulary).encode(text(run)) == expected)
  }

  @Test
  func idsAreAppended() throws {
    let tokenizer = try tokenizer("NFC", vocabulary(["é", "b"]))
    var text = "e\u{301} [MASK] b"
    var ids: [Int32] = [7, 8]
    text.withUTF8 { tokenizer.encode($0, into: &ids) }
    #expect(ids == [7, 8] + tokenizer.encode(text) && ids.count == 5)
  }

  @Test(arguments: ["", " ", "é", "\u{301}", "[MASK]", "[MASK][MASK]"])
  func shortTextsAreSplit(text: String) throws {
    let vocabulary = try vocabulary(["é"])
    let tokenizer = try tokenizer("NFC", vocabulary)
    let plain = try self.tokenizer("", vocabulary)
    #expect(tokenizer.encode(text) == plain.encode(text))
    #expect(tokenizer.tokens(of: text) == plain.tokens(of: text))
  }
}
