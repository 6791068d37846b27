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
}
