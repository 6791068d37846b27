import Electra
import Foundation
import Layers
import Models
import Platform
import Tensors
import TestSupport
import Tokenization
import Training

/// A tokenizer for letters and a few words, in the order of BERT's vocabularies.
func smallTokenizer(_ words: [String] = ["the", "cat", "sat", "mat"]) throws -> Tokenizer {
  let letters = "abcdefghijklmnopqrstuvwxyz".map { String($0) }
  let tokens = SpecialTokens.names + letters + letters.map { "##" + $0 } + words
  return Tokenizer(
    vocabulary: try Vocabulary(tokens: tokens, source: "test"), normalization: .uncased)
}

/// Two networks of a few hundred weights on sequences of at most 12 tokens.
func smallConfiguration(
  _ tokenizer: Tokenizer, objective: PretrainingTask.Objective = .electra
) -> PretrainingConfiguration {
  var configuration = Preset.tiny.configuration(vocabularySize: tokenizer.vocabulary.size)
  configuration.model = ElectraSizes(
    vocabularySize: tokenizer.vocabulary.size, embeddingSize: 8, positionCount: 12,
    generator: EncoderSizes(hiddenSize: 8, layerCount: 1, headCount: 2, intermediateSize: 16),
    discriminator: EncoderSizes(
      hiddenSize: 16, layerCount: 2, headCount: 2, intermediateSize: 32))
  configuration.recipe.length = 12
  configuration.recipe.task.objective = objective
  return configuration
}

/// Writes a run with checkpoints at `steps`, all with the same weights, which it returns.
///
/// `change` may set some of the weights first.
@discardableResult
func writeRun(
  _ path: String, steps: [Int] = [5], objective: PretrainingTask.Objective = .electra,
  arithmetic: Arithmetic = .float32, tokenizer: Tokenizer? = nil,
  change: (Storage, ElectraModel) -> Void = { _, _ in }
) throws -> (model: ElectraModel, weights: Storage) {
  let tokenizer = try tokenizer ?? smallTokenizer()
  var configuration = smallConfiguration(tokenizer, objective: objective)
  configuration.arithmetic = arithmetic
  return try writeRun(path, configuration, tokenizer, steps: steps, change: change)
}

/// Writes a run of a configuration; see above.
@discardableResult
func writeRun(
  _ path: String, _ configuration: PretrainingConfiguration, _ tokenizer: Tokenizer,
  steps: [Int] = [5], change: (Storage, ElectraModel) -> Void = { _, _ in }
) throws -> (model: ElectraModel, weights: Storage) {
  let model = configuration.makeModel()
  let weights = randomWeights(model.layout, scale: 0.3)
  change(weights, model)
  var files = try tokenizer.files(maximumLength: 12)
  files["config.json"] = try configuration.jsonDocument()
  for step in steps {
    try CheckpointStore(runFolder: path).save(CheckpointState(step: step), files: files) {
      let file = $0 + "/model.safetensors"
      return ["model.safetensors": try ModelFile.write(weights, model.layout, path: file)]
    }
  }
  return (model, weights)
}

/// A folder with a run in `run`, and its networks as Hugging Face folders `discriminator` and
/// `generator`.
func exportedRun() throws -> TemporaryFolder {
  let folder = try TemporaryFolder()
  try writeRun(folder.file("run"))
  for part in [ModelPart.discriminator, .generator] {
    try HuggingFaceExport(from: folder.file("run"), part).write(to: folder.file(part.rawValue))
  }
  return folder
}

extension DetectedText {
  /// The lines with the logits of the discriminator at `path`.
  static func of(
    _ lines: [String], _ path: String, threads: Int = 1, planted: Bool = false
  ) throws -> [DetectedText] {
    let detector = try Detector(PretrainedDiscriminator(from: path), threads: threads)
    defer { detector.end() }
    var (rest, result) = (lines[...], [DetectedText]())
    let next = { rest.popFirst() }
    try detector.detect(next, planted: planted) { result.append($0) }
    return result
  }
}

/// The sentence of the error that `body` throws; empty if it throws none.
func sentence(_ body: () throws -> Void) -> String {
  do {
    try body()
    return ""
  } catch {
    return "\(error)"
  }
}

extension Storage {
  /// All weights.
  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  /// The weights of one parameter.
  func values(_ parameter: Parameter) -> [Float] {
    Array(values[parameter.offset..<parameter.offset + parameter.count])
  }
}
