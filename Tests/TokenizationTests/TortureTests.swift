import Foundation
import Testing
import Tokenization

/// The ids equal those of Hugging Face's `tokenizers`, recorded by `Fixtures/make.py`.
struct TortureTests {
  @Test
  func hostileTextHasTheIdsOfTokenizers() throws {
    let vocabulary = try allCharacters()
    let expected = try JSONDecoder().decode(
      [String: [[Int32]]].self, from: fixture("torture.json"))
    let lines = try [UInt8](fixture("torture.txt")).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).dropLast().map(Array.init)
    #expect(lines.count > 400)
    for (name, normalization) in normalizations {
      let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: normalization)
      let ids = try #require(expected[name])
      #expect(ids.count == lines.count)
      for (number, (line, ids)) in zip(lines, ids).enumerated() {
        var ours: [Int32] = []
        line.withUnsafeBufferPointer { tokenizer.encode($0, into: &ours) }
        #expect(ours == ids, "\(name), line \(number + 1) of torture.txt")
        let text = String(decoding: line, as: UTF8.self)
        #expect(tokenizer.tokens(of: text).map(\.id) == ids, "\(name), line \(number + 1)")
      }
    }
  }

  @Test
  func everyCodePointHasTheIdsOfTokenizers() throws {
    let vocabulary = try allCharacters()
    let expected = try JSONDecoder().decode(
      [String: [String]].self, from: fixture("codepoints.json"))
    for (name, normalization) in normalizations {
      let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: normalization)
      let digests = try #require(expected[name])
      #expect(digests.count == 0x110)
      for (block, digest) in digests.enumerated() {
        #expect(
          digestOfCodePoints(from: UInt32(block) * 4096, by: tokenizer) == digest,
          "\(name), code points from U+\(String(block * 4096, radix: 16))")
      }
    }
  }
}
