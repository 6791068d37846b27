import Foundation
import Platform
import Testing
import Tokenization

/// The ids equal those of Hugging Face's `tokenizers`, recorded by `Fixtures/make.py`.
struct TortureTests {
  /// The vocabulary of `make.py`: every character up to the last ideograph, alone and with `##`.
  private static func allCharacters() throws -> Vocabulary {
    var tokens: [String] = []
    for codePoint in UInt32(0)..<0x2FA20 {
      guard ![9, 10, 13, 32].contains(codePoint), !(0xAC00..<0xF900 ~= codePoint),
        let scalar = Unicode.Scalar(codePoint)
      else { continue }
      tokens.append(String(scalar))
      tokens.append("##" + String(scalar))
    }
    return try vocabulary(tokens)
  }

  @Test
  func hostileTextHasTheIdsOfTokenizers() throws {
    let vocabulary = try Self.allCharacters()
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
    let vocabulary = try Self.allCharacters()
    let expected = try JSONDecoder().decode(
      [String: [String]].self, from: fixture("codepoints.json"))
    for (name, normalization) in normalizations {
      let tokenizer = Tokenizer(vocabulary: vocabulary, normalization: normalization)
      let digests = try #require(expected[name])
      #expect(digests.count == 0x110)
      for (block, digest) in digests.enumerated() {
        #expect(
          Self.digest(of: UInt32(block) * 4096, by: tokenizer) == digest,
          "\(name), code points from U+\(String(block * 4096, radix: 16))")
      }
    }
  }

  /// The digest of the ids of the lines of 4096 code points.
  private static func digest(of start: UInt32, by tokenizer: Tokenizer) -> String {
    var ids: [Int32] = []
    for codePoint in start..<start + 4096 where codePoint != 10 {
      guard let scalar = Unicode.Scalar(codePoint) else { continue }
      ids += tokenizer.encode("a\(scalar)b\(scalar)")
      ids.append(-1)
    }
    let bytes = ids.flatMap { id in
      (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) }
    }
    return String(SHA256.hexadecimal(bytes).prefix(16))
  }
}
