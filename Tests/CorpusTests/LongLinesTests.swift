import Corpus
import Testing

struct LongLinesTests {
  private func parts(_ text: String) -> [String] {
    let bytes = [UInt8](text.utf8)
    return bytes.withUnsafeBufferPointer { line in
      let ranges = LongLines.parts(line)
      #expect(ranges.first?.lowerBound ?? 0 == 0)
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      #expect(ranges.last?.upperBound ?? 0 == bytes.count)
      #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= LongLines.longestLine })
      return ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  @Test
  func aLineOfOrdinaryLengthStaysWhole() {
    #expect(parts("") == [])
    #expect(parts("One. Two. Three.") == ["One. Two. Three."])
    #expect(parts(String(repeating: "x", count: LongLines.longestLine)).count == 1)
  }

  @Test(arguments: ["A sentence of some words. ", "Is it? ", "Stop! ", "これは文です。", "何？"])
  func aLongLineIsCutBehindSentences(sentence: String) {
    let text = String(repeating: sentence, count: 20_000 / sentence.utf8.count)
    for part in parts(text) { #expect(part.hasSuffix(sentence)) }
  }

  @Test
  func withoutSentencesItIsCutBehindSpaces() {
    let text = String(repeating: "3.14 word ", count: 2000)
    for part in parts(text) { #expect(part.hasSuffix(" ") && !part.hasPrefix(" ")) }
  }

  @Test(arguments: ["é", "語", "😀"])
  func withoutSpacesItIsCutBetweenCharacters(character: String) {
    for shift in 0..<4 {
      let text = String(repeating: "x", count: shift) + String(repeating: character, count: 3000)
      #expect(!parts(text).contains { $0.contains("\u{FFFD}") })
    }
  }
}
