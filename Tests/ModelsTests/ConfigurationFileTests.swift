import Electra
import Foundation
import Models
import Platform
import Tensors
import Testing

/// `config.json` of runs and of exported models.
///
/// Checkpoints have checksums of these files, and old runs must resume: keys and bytes must not
/// change.
struct ConfigurationFileTests {
  private func text(_ value: some Encodable) throws -> String {
    String(decoding: try value.jsonDocument(), as: UTF8.self)
  }

  @Test
  func aRunsConfigurationHasItsUsualBytes() throws {
    let configuration = try decodeJSON(
      PretrainingConfiguration.self, Data(Self.run.utf8), from: "config.json")
    #expect(try text(configuration) == Self.run)
    var expected = Preset.tiny.configuration(vocabularySize: 2000)
    expected.data = configuration.data
    expected.recipe.length = 32
    expected.recipe.batchSize = 8
    expected.recipe.steps = 4
    expected.recipe.warmupSteps = 1
    expected.recipe.slices = 2
    #expect(configuration == expected)
  }

  /// Old runs, and configurations that users write, lack the arithmetic and some keys of the task.
  @Test
  func aConfigurationWithoutKeysOfTheTaskIsThePapers() throws {
    let task = [
      "arithmetic", "objective", "generator_kind", "sampling", "temperature", "training",
      "weight_sharing",
    ]
    let lines = Self.run.split(separator: "\n").filter { line in
      // The last key stays: it ends the recipe, and there would be a comma before the brace.
      !task.dropLast().contains { line.contains("\"\($0)\"") }
    }
    let configuration = try decodeJSON(
      PretrainingConfiguration.self, Data(lines.joined(separator: "\n").utf8), from: "config.json")
    #expect(configuration.recipe.task == PretrainingTask(sampling: .gumbel))
    #expect(configuration.arithmetic == .float32)
    #expect(throws: TextError.unusable(path: "a", reason: "the key seed is missing")) {
      let text = Self.run.replacingOccurrences(of: "\"seed\"", with: "\"sead\"")
      _ = try decodeJSON(PretrainingConfiguration.self, Data(text.utf8), from: "a")
    }
  }

  /// A run whose recipe has a removed setting is refused: it would be trained otherwise.
  @Test(arguments: ["generator_rate", "clip_networks", "temperature_start", "temperature_decay"])
  func aRemovedSettingIsRefused(key: String) {
    let reason = "recipe.\(key): this setting was removed; commit 29ae92e of the program reads it"
    #expect(throws: TextError.unusable(path: "a", reason: reason)) {
      let text = Self.run.replacingOccurrences(of: "\"seed\"", with: "\"\(key)\" : 1, \"seed\"")
      _ = try decodeJSON(PretrainingConfiguration.self, Data(text.utf8), from: "a")
    }
  }

  /// JSON has no such numbers, and without their key all others would be missing too.
  @Test
  func aNumberThatIsNotFiniteIsAField() {
    var configuration = Preset.tiny.configuration(vocabularySize: 99)
    let fields = configuration.fields
    configuration.recipe.learningRate = .infinity
    configuration.recipe.maskFraction = .nan
    let changed = configuration.fields
    #expect(changed["learning_rate"] == "inf" && changed["mask_prob"] == "nan")
    #expect(changed.count == fields.count && changed["adam_beta1"] == fields["adam_beta1"])
  }

  /// Two ramps are different settings; of earlier phases only the number is compared.
  @Test
  func aListIsAField() {
    var configuration = Preset.tiny.configuration(vocabularySize: 2000)
    #expect(configuration.fields["disc_weight_ramp"] == nil)
    #expect(configuration.fields["earlier_phases"] == nil)
    configuration.recipe.discriminatorRamp = [0.25, 0.5]
    configuration.append(.init(recipe: configuration.recipe, data: nil))
    #expect(configuration.fields["disc_weight_ramp"] == "0.25:0.5")
    #expect(configuration.fields["earlier_phases"] == "1")
  }

  @Test
  func anExportedConfigurationHasItsUsualBytes() throws {
    let sizes = Preset.tiny.configuration(vocabularySize: 2000).model[.discriminator]
    let configuration = HuggingFaceConfiguration(
      sizes, architecture: "ElectraForPreTraining", paddingID: 0)
    #expect(try text(configuration) == Self.model)
    let read = try decodeJSON(
      HuggingFaceConfiguration.self, Data(Self.model.utf8), from: "config.json")
    #expect(try text(read) == Self.model)
  }

  private static let run = """
    {
      "arithmetic" : "float32",
      "data_sha256" : "1c530c73025490e21ce10c27e1f5e56e59ef46aca20a34419e28353f07445fa1",
      "earlier_phases" : [

      ],
      "exchange" : "float32",
      "model" : {
        "attention_probs_dropout_prob" : 0,
        "embedding_size" : 128,
        "generator" : {
          "attention_probs_dropout_prob" : 0,
          "hidden_dropout_prob" : 0,
          "hidden_size" : 64,
          "initializer_range" : 0.08,
          "intermediate_size" : 256,
          "layer_norm_eps" : 1e-12,
          "num_attention_heads" : 2,
          "num_hidden_layers" : 1
        },
        "hidden_dropout_prob" : 0,
        "hidden_size" : 128,
        "initializer_range" : 0.08,
        "intermediate_size" : 512,
        "layer_norm_eps" : 1e-12,
        "max_position_embeddings" : 512,
        "num_attention_heads" : 4,
        "num_hidden_layers" : 3,
        "position_initializer" : "sinusoids",
        "type_vocab_size" : 2,
        "vocab_size" : 2000
      },
      "recipe" : {
        "adam_beta1" : 0.9,
        "adam_beta2" : 0.98,
        "adam_epsilon" : 1e-06,
        "clip_norm" : 1,
        "disallow_correct" : false,
        "disc_weight" : 50,
        "generator_kind" : "transformer",
        "learning_rate" : 0.0015,
        "mask_prob" : 0.15,
        "mask_whole_words" : false,
        "mask_with_replacement" : false,
        "max_seq_length" : 32,
        "micro_batch_tokens" : 512,
        "num_train_steps" : 4,
        "num_warmup_steps" : 1,
        "objective" : "electra",
        "sampling" : "inverse",
        "seed" : 1,
        "slices" : 2,
        "temperature" : 1,
        "train_batch_size" : 8,
        "training" : "joint",
        "weight_decay_rate" : 0.01,
        "weight_sharing" : "embeddings"
      }
    }
    """

  private static let model = """
    {
      "architectures" : [
        "ElectraForPreTraining"
      ],
      "attention_probs_dropout_prob" : 0,
      "embedding_size" : 128,
      "hidden_act" : "gelu",
      "hidden_dropout_prob" : 0,
      "hidden_size" : 128,
      "initializer_range" : 0.08,
      "intermediate_size" : 512,
      "layer_norm_eps" : 1e-12,
      "max_position_embeddings" : 512,
      "model_type" : "electra",
      "num_attention_heads" : 4,
      "num_hidden_layers" : 3,
      "pad_token_id" : 0,
      "position_embedding_type" : "absolute",
      "type_vocab_size" : 2,
      "vocab_size" : 2000
    }
    """
}
