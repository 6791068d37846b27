import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A folder of transformers' ELECTRA or BERT: configuration, tensors, tokenizer.
package struct HuggingFaceFolder {
  let path: String
  let sizes: NetworkSizes
  /// Which of our networks it is: a generator if it has a generator's head, else a discriminator,
  /// with its head or without.
  let part: ModelPart
  let file: SafetensorsFile
  /// What stands before the names of embeddings and encoder.
  private let prefix: String
  /// Whether normalisations have TensorFlow's names for their parameters, as old BERT folders do.
  private let hasGamma: Bool

  /// Whether `path` is such a folder and not one of ours.
  package static func isOne(_ path: String) -> Bool {
    let exists = { FileManager.default.fileExists(atPath: path + "/" + $0) }
    return !exists("state.json") && !exists("checkpoints") && exists("model.safetensors")
  }

  init(_ path: String) throws {
    self.path = path
    let tensors = path + "/model.safetensors"
    guard FileManager.default.fileExists(atPath: tensors) else { throw unreadableModel(path) }
    try expectNoPointers(path)
    let configurationPath = path + "/config.json"
    guard let data = FileManager.default.contents(atPath: configurationPath) else {
      throw FileError.unreadable(path: configurationPath, reason: "there is no such file")
    }
    let configuration = try decodeJSON(
      HuggingFaceConfiguration.self, data, from: configurationPath)
    if let problem = configuration.problem {
      throw ModelError.unusable(path: configurationPath, reason: problem)
    }
    sizes = configuration.sizes
    file = try SafetensorsFile(path: tensors)
    let names = Set(file.entries.map(\.name))
    guard
      let prefix = ["electra.", "bert.", ""].first(where: {
        names.contains($0 + "embeddings.word_embeddings.weight")
      })
    else {
      throw ModelError.unusable(
        path: tensors,
        reason: "it holds no embeddings.word_embeddings.weight, with or without electra. or bert. "
          + "before it")
    }
    self.prefix = prefix
    hasGamma = names.contains { $0.hasSuffix("LayerNorm.gamma") }
    part = names.contains { $0.hasPrefix("generator_") } ? .generator : .discriminator
  }

  /// Fills what there is of `role` in `weights`. Sizes that differ are an error, told before
  /// anything is read.
  ///
  /// - Parameters:
  ///   - task: that of the model with this layout.
  ///   - role: which of that model's networks it becomes; nil for the one that it is.
  func load(
    into weights: Storage, _ layout: ParameterLayout, _ task: PretrainingTask = PretrainingTask(),
    as role: ModelPart? = nil
  ) throws -> ModelFile.Differences {
    let differences = try compare(layout, task, as: role)
    try ModelFile.copy(file, layout, into: weights) { name($0, task, role ?? part) }
    return differences
  }

  /// What the folder and a part of the layout do not have in common. A tensor of another shape is an
  /// error that names it and both shapes.
  func compare(
    _ layout: ParameterLayout, _ task: PretrainingTask = PretrainingTask(),
    as role: ModelPart? = nil
  ) throws -> ModelFile.Differences {
    let differences = ModelFile.compare(file, layout) { name($0, task, role ?? part) }
    try ModelFile.expectNone(differences.mismatched, path: file.path)
    return differences
  }

  private func name(_ own: String, _ task: PretrainingTask, _ role: ModelPart) -> String? {
    task.huggingFaceName(own, of: role, prefix: prefix).map(renamed)
  }

  private func renamed(_ name: String) -> String {
    guard hasGamma else { return name }
    return name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
      .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
  }

  /// What a parameter of embeddings or encoder (`embeddings...`, `encoder...`) is called here.
  func encoderName(_ own: String) -> String { renamed(prefix + own) }

  /// Its tokenizer, all of whose ids have a row in the embedding table.
  func tokenizer() throws -> Tokenizer {
    let tokenizer = try modelTokenizer(path)
    let (tokens, rows) = (tokenizer.vocabulary.size, sizes.vocabularySize)
    guard tokens <= rows else {
      throw ModelError.unusable(
        path: path,
        reason: "its vocabulary has \(tokens) tokens and its embedding table \(rows) rows")
    }
    return tokenizer
  }
}

/// The tokenizer of a model's folder: of transformers', of a run, of a checkpoint or of a fine-tuning.
package func modelTokenizer(_ path: String) throws -> Tokenizer {
  let path = FinetunedFolder.model(in: path) ?? path
  let manager = FileManager.default
  if manager.fileExists(atPath: path + "/checkpoints") {
    return try CheckpointFolder(path).tokenizer
  }
  do {
    let names = ["config.json", "tokenizer_config.json", "tokenizer.json"]
    guard names.contains(where: { manager.fileExists(atPath: path + "/" + $0) }) else {
      throw unreadableModel(path)
    }
    try expectNoPointers(path)
    return try Tokenizer(folder: path)
  } catch FileError.missing {
    throw ModelError.unusable(
      path: path,
      reason: "it has no tokenizer: neither vocab.txt nor tokenizer.json; copy those of the model "
        + "that it was made from, and tokenizer_config.json, into it")
  }
}
