import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
import TestSupport
import Testing

struct DetectedTextTests {
  /// A line evaluated by a model whose head gives every token the same logit.
  private func text(_ line: String, bias: Float) throws -> DetectedText {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run")) { weights, model in
      for parameter in model.layout.parameters
      where parameter.name.hasPrefix("discriminator_predictions.dense_prediction") {
        let value = parameter.name.hasSuffix("bias") ? bias : 0
        for i in 0..<parameter.count { weights.base[parameter.offset + i] = value }
      }
    }
    return try #require(try DetectedText.of([line], folder.file("run")).first)
  }

  /// 1 / (1 + exp(-2)) is 88 %.
  @Test
  func whatWasProbablyReplacedIsMarked() throws {
    let suspicious = try text("The  cat, sat", bias: 2)
    #expect(
      suspicious.marked(colour: false) == "[The 88%]  [cat 88%][, 88%] [sat 88%]")
    #expect(suspicious.marked(colour: true).hasPrefix("\u{1B}[1;31mThe\u{1B}[0m  \u{1B}[1;31mcat"))
    #expect(try text("The  cat, sat", bias: -2).marked(colour: false) == "The  cat, sat")
  }

  @Test
  func theJSONHasTokensIdsAndLogitsAlone() throws {
    let object =
      try JSONSerialization.jsonObject(
        with: Data(try text("cat", bias: 2).json().utf8)) as? [String: Any]
    #expect(object?.keys.sorted() == ["ids", "logits", "tokens"])
    #expect(object?["tokens"] as? [String] == ["[CLS]", "cat", "[SEP]"])
    #expect(object?["logits"] as? [Double] == [2, 2, 2])
  }

  /// Words may have several tokens, in one part of a line or another.
  @Test
  func markedWordsAreComparedWithTheOthersOfTheirLines() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let lines = [
      "The [[catt]], sat on [[a mat]]", "the cat sat", "sat's [[mat]] [[]] [x] [[[cat]]",
    ]
    let texts = try DetectedText.of(lines, folder.file("run"), planted: true)
    let plain = ["The catt, sat on a mat", "the cat sat", "sat's mat [[]] [x] [cat"]
    #expect(texts.map(\.text) == plain)
    let same = try DetectedText.of(plain, folder.file("run"))
    #expect(same.map(\.logits) == texts.map(\.logits) && same.allSatisfy { $0.marks.isEmpty })
    let unread = try DetectedText.of(lines, folder.file("run"))
    #expect(unread.map(\.text) == lines && unread.allSatisfy { $0.marks.isEmpty })
    /// The highest logit of the tokens of the word at `tokens` of a line.
    func score(_ line: Int, _ tokens: Range<Int>) throws -> Float {
      try #require(texts[line].logits[tokens].max())
    }
    // [CLS] the cat ##t , sat o ##n a mat [SEP];
    // [CLS] sat ' s mat [ [ ] ] [ x [SEP] [CLS] ] [ cat [SEP]; punctuation is [UNK]
    #expect(texts[0].tokens[2...5] == ["cat", "##t", "[UNK]", "sat"])
    #expect(texts[2].tokens[1...4] == ["sat", "[UNK]", "s", "mat"] && texts[2].tokens[15] == "cat")
    var words = MarkedWords()
    for text in texts { words.add(text) }
    #expect(
      try words.marked == [
        score(0, 2..<4), score(0, 8..<9), score(0, 9..<10), score(2, 4..<5), score(2, 15..<16),
      ])
    #expect(
      try words.others == [
        score(0, 1..<2), score(0, 5..<6), score(0, 6..<8), score(2, 1..<4), score(2, 10..<11),
      ])
    let above = words.marked.reduce(0.0) { (sum: Double, score: Float) -> Double in
      sum + words.others.reduce(0.0) { $0 + ($1 < score ? 1 : $1 == score ? 0.5 : 0) }
    }
    let auc = above / 25
    #expect(
      words.summary(json: false) == "AUC of 5 marked words against 5 other words: "
        + String(format: "%.2f", auc))
    #expect(
      words.summary(json: true) == "{\"auc\":\(auc),\"marked_words\":5,\"other_words\":5}")
    var alone = MarkedWords()
    for text in try DetectedText.of(["[[cat]]"], folder.file("run"), planted: true) {
      alone.add(text)
    }
    #expect(
      alone.summary(json: false) == "AUC of 1 marked word against 0 other words: undefined")
    var none = MarkedWords()
    none.add(texts[1])
    #expect(none.summary(json: false) == nil)
  }
}
