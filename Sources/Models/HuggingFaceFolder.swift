import Electra
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A Hugging Face folder of ELECTRA or BERT: configuration, tensors and tokenizer.
package struct HuggingFaceFolder {
  let path: String
  private(set) var sizes: NetworkSizes
  /// The network that the folder contains: the generator if there is a generator's head, otherwise
  /// the discriminator, with or without a head.
  let part: ModelPart
  private(set) var file: ModelTensors
  /// The prefix of the names of embeddings and encoder: `electra.`, `bert.` or empty.
  private let prefix: String
  /// Whether layer normalizations have TensorFlow's parameter names, as in old BERT folders.
  private let hasGamma: Bool
  /// Whether there is BERT's head over the vocabulary.
  private let hasBERTHead: Bool

  /// Whether `path` is a Hugging Face folder and not a run or checkpoint of this program.
  package static func isOne(_ path: String) -> Bool {
    let exists = { FileManager.default.fileExists(atPath: path + "/" + $0) }
    return !exists("state.json") && !exists("checkpoints") && ModelTensors.exist(in: path)
  }

  /// Opens the folder; throws an error that names the file and what to do.
  init(_ path: String) throws {
    self.path = path
    guard ModelTensors.exist(in: path) else { throw unreadableModel(path) }
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
    file = try ModelTensors(folder: path)
    let names = Set(file.entries.map(\.name))
    guard
      let prefix = ["electra.", "bert.", ""].first(where: {
        names.contains($0 + "embeddings.word_embeddings.weight")
      })
    else {
      throw ModelError.unusable(
        path: file.path,
        reason:
          "it has no tensor embeddings.word_embeddings.weight, with the prefix electra. or bert. "
          + "or without")
    }
    self.prefix = prefix
    hasGamma = names.contains { $0.hasSuffix("LayerNorm.gamma") }
    hasBERTHead = names.contains("cls.predictions.transform.dense.weight")
    part = names.contains { $0.hasPrefix("generator_") } ? .generator : .discriminator
  }

  /// Copies the folder's tensors into the network `role` of `weights`; other weights are unchanged.
  ///
  /// - Parameters:
  ///   - weights: of a whole model.
  ///   - layout: the parameters of that model.
  ///   - task: the pre-training task of that model.
  ///   - role: the network to fill.
  /// - Returns: the tensors that only the model or only the folder has.
  /// - Throws: `CheckpointError.otherModel` where a shape differs, before anything is copied.
  func load(
    into weights: Storage, _ layout: ParameterLayout, _ task: PretrainingTask, as role: ModelPart
  ) throws -> ModelFile.Differences {
    let differences = try compare(layout, task, as: role)
    try copy(into: weights, layout) { name($0, task, role) }
    return differences
  }

  /// Reads all weights of a model of one network, in the order of its layout.
  ///
  /// Parameters are those of `load`. Throws `ModelError` where the folder lacks a tensor, and
  /// `CheckpointError.otherModel` where a shape differs.
  func weights(
    _ layout: ParameterLayout, _ task: PretrainingTask, as role: ModelPart
  ) throws -> Storage {
    let missing = try compare(layout, task, as: role).missing
    guard missing.isEmpty else {
      throw ModelError.unusable(path: path, reason: "it lacks \(shortList(missing))")
    }
    let weights = Storage(count: layout.count)
    try copy(into: weights, layout) { name($0, task, role) }
    return weights
  }

  /// Copies the named tensors; throws `ModelError` for one with values that are not finite.
  private func copy(
    into weights: Storage, _ layout: ParameterLayout, naming: (String) -> String?
  ) throws {
    try ModelFile.copy(file, layout, into: weights, naming: naming)
    for parameter in layout.parameters {
      guard let tensor = naming(parameter.name), file.entry(tensor) != nil else { continue }
      let values = UnsafeBufferPointer(
        start: weights.base + parameter.offset, count: parameter.count)
      guard values.allSatisfy({ $0.isFinite }) else {
        throw ModelError.unusable(
          path: path, reason: "its tensor \(tensor) has values that are not finite")
      }
    }
  }

  /// The tensors that only the folder or only the network `role` of the layout has.
  ///
  /// A tensor of another shape is an error that names it and both shapes.
  func compare(
    _ layout: ParameterLayout, _ task: PretrainingTask, as role: ModelPart
  ) throws -> ModelFile.Differences {
    let differences = ModelFile.compare(file, layout) { name($0, task, role) }
    try ModelFile.expectNone(differences.mismatched, path: file.path)
    return differences
  }

  /// The name in the folder of a parameter of a model; nil for one of another network.
  private func name(
    _ parameter: String, _ task: PretrainingTask, _ role: ModelPart
  ) -> String? {
    task.huggingFaceName(parameter, of: role, prefix: prefix).map {
      renamed(hasBERTHead ? headName($0) : $0)
    }
  }

  /// The name in BERT's head of a parameter of ELECTRA's head over the vocabulary.
  ///
  /// The layers are the same: a dense layer, GELU, a layer normalization, and the word embeddings
  /// with a bias, which some folders have only as that of the decoder.
  private func headName(_ name: String) -> String {
    let layers = "generator_predictions."
    if name.hasPrefix(layers) { return "cls.predictions.transform." + name.dropFirst(layers.count) }
    guard name == "generator_lm_head.bias" else { return name }
    return Self.biasNames.dropFirst().first { file.entry($0) != nil } ?? name
  }

  /// The names of a head's bias, which has a value for each token: ELECTRA's, then BERT's.
  private static let biasNames = [
    "generator_lm_head.bias", "cls.predictions.bias", "cls.predictions.decoder.bias",
  ]

  private func renamed(_ name: String) -> String {
    guard hasGamma else { return name }
    return name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
      .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
  }

  /// The name in the folder of a parameter of embeddings or encoder (`embeddings...`,
  /// `encoder...`).
  func encoderName(_ parameter: String) -> String { renamed(prefix + parameter) }

  /// Drops the rows of embedding table and output bias that belong to no token.
  ///
  /// Tables are often padded to a multiple of 8 or 64. Returns the number of rows dropped. Throws
  /// the errors of `tokenizer()`.
  mutating func dropSpareRows() throws -> Int {
    let spare = sizes.vocabularySize - (try tokenizer().vocabulary.size)
    sizes.vocabularySize -= spare
    file.limitRows(
      of: Set([prefix + "embeddings.word_embeddings.weight"] + Self.biasNames),
      to: sizes.vocabularySize)
    return spare
  }

  /// The tokenizer of the folder; throws `ModelError` if the embedding table has no row for one of
  /// its ids.
  func tokenizer() throws -> Tokenizer {
    let tokenizer = try modelTokenizer(path)
    let (tokens, rows) = (tokenizer.vocabulary.size, sizes.vocabularySize)
    guard tokens <= rows else {
      throw ModelError.unusable(
        path: path,
        reason: "its vocabulary has \(tokens) tokens, but its embedding table has \(rows) rows")
    }
    return tokenizer
  }
}

/// Reads the tokenizer of a model's folder.
///
/// `path` is a Hugging Face folder, a run, a checkpoint or a fine-tuning.
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
      reason: "it has no tokenizer: neither vocab.txt nor tokenizer.json; copy these files and "
        + "tokenizer_config.json from the model that it was made from")
  }
}
