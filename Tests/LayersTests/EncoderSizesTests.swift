import Foundation
import Layers
import Testing

struct EncoderSizesTests {
  private let base = EncoderSizes(
    hiddenSize: 768, layerCount: 12, headCount: 12, intermediateSize: 3072)

  /// The paper's generators: 1/3 of base and 1/4 of small, with equal depth (table 6).
  @Test(
    arguments: [
      (1.0 / 3, 1.0, 256, 4, 1024, 12), (0.25, 1.0, 192, 3, 768, 12),
      (1.0, 0.5, 768, 12, 3072, 6), (1e-9, 1e-9, 1, 1, 4, 1), (0.1, 1.0, 77, 1, 308, 12),
    ] as [(Double, Double, Int, Int, Int, Int)])
  func aFractionKeepsTheWidthOfHeads(
    width: Double, depth: Double, hidden: Int, heads: Int, intermediate: Int, layers: Int
  ) {
    let scaled = base.scaled(width: width, depth: depth)
    #expect((scaled.hiddenSize, scaled.headCount) == (hidden, heads))
    #expect((scaled.intermediateSize, scaled.layerCount) == (intermediate, layers))
    #expect(scaled.dropoutRate == base.dropoutRate && scaled.epsilon == base.epsilon)
  }

  @Test
  func keysAreThoseOfHuggingFace() throws {
    let data = try JSONEncoder().encode(base)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["num_attention_heads"] as? Int == 12 && object["hidden_size"] as? Int == 768)
    #expect(
      Set(object.keys) == [
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
        "hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps",
        "initializer_range",
      ])
    #expect(try JSONDecoder().decode(EncoderSizes.self, from: data) == base)
  }
}
