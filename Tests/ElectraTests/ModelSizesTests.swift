import Electra
import Foundation
import Layers
import Testing

/// Model sizes: of presets, of files, and invalid ones.
struct ModelSizesTests {
  /// The number of parameters of an encoder of width D and feed-forward width F.
  ///
  /// Each layer has four attention and two feed-forward matrices with biases, and two
  /// normalisations.
  private func count(_ sizes: EncoderSizes) -> Int {
    let (d, f) = (sizes.hiddenSize, sizes.intermediateSize)
    return sizes.layerCount * (4 * (d * d + d) + (d * f + f) + (f * d + d) + 4 * d)
  }

  /// Embeddings with normalisation, a projection to each encoder of another width, and the heads.
  ///
  /// The generator's head is D to E with normalisation and a bias per token; the discriminator's is
  /// D to D and D to 1.
  @Test(arguments: Preset.allCases)
  func parametersOfPresetsAreTheClosedForm(preset: Preset) {
    let configuration = preset.configuration(vocabularySize: 30_522)
    let sizes = configuration.model
    let (e, v) = (sizes.embeddingSize, sizes.vocabularySize)
    var expected = (v + 512 + 2 + 2) * e
    for encoder in [sizes.generator, sizes.discriminator] {
      let d = encoder.hiddenSize
      expected += count(encoder) + (d == e ? 0 : e * d + d)
    }
    let (g, d) = (sizes.generator.hiddenSize, sizes.discriminator.hiddenSize)
    expected += g * e + e + 2 * e + v + d * d + d + d + 1
    #expect(configuration.makeModel().layout.parameterCount == expected)
    #expect(configuration.problem == nil)
  }

  /// Missing keys have the defaults of transformers; `bert` has no `embedding_size`.
  @Test
  func keysThatAreLeftOutHaveTheDefaultsOfTransformers() throws {
    let json = """
      {"model_type": "bert", "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
      "intermediate_size": 96, "vocab_size": 77}
      """
    func read(_ text: String) throws -> HuggingFaceConfiguration {
      try JSONDecoder().decode(HuggingFaceConfiguration.self, from: Data(text.utf8))
    }
    let bert = try read(json)
    #expect((bert.sizes.embeddingSize, bert.sizes.positionCount) == (48, 512))
    #expect((bert.sizes.typeCount, bert.sizes.encoder.epsilon) == (2, 1e-12))
    #expect(bert.problem == nil && bert.activation == "gelu" && bert.paddingID == 0)
    let electra = try read(json.replacingOccurrences(of: "bert", with: "electra"))
    #expect(electra.sizes.embeddingSize == 128 && electra.problem == nil)
    for (old, new, problem) in [
      ("bert", "roberta", "model_type is roberta"),
      ("{", #"{"is_decoder": true, "#, "is_decoder is true"),
      ("{", #"{"hidden_act": "gelu_new", "#, "hidden_act is gelu_new"),
      (
        "{", #"{"position_embedding_type": "relative_key", "#, "position_embedding_type is relative"
      ),
      ("\"num_attention_heads\": 4", "\"num_attention_heads\": 5", "5 attention heads do not"),
      ("\"vocab_size\": 77", "\"vocab_size\": 0", "vocab_size is 0; it must be between 1"),
      ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1001", "at most 1000 are supported"),
      ("{", #"{"hidden_dropout_prob": 1, "#, "hidden_dropout_prob is 1.0; it must be"),
      ("{", #"{"type_vocab_size": 1, "#, "it must be between 2 and"),
    ] {
      let other = try read(json.replacingOccurrences(of: old, with: new))
      #expect(other.problem?.contains(problem) == true, "\(other.problem ?? "none")")
    }
  }

  @Test
  func aConfigurationThatIsWrittenIsReadBack() throws {
    let sizes = Preset.small.configuration(vocabularySize: 99).model[.generator]
    let written = HuggingFaceConfiguration(
      sizes, architecture: "ElectraForMaskedLM", paddingID: 3)
    let data = try JSONEncoder().encode(written)
    #expect(try JSONDecoder().decode(HuggingFaceConfiguration.self, from: data) == written)
  }
}
