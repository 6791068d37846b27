import Electra
import Finetuning
import Foundation
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// A fine-tuned model on disk: a Hugging Face folder with `task.json`, which describes the task.
///
/// Transformers loads the folder unless its head is that of the reference implementation.
package struct FinetunedFolder {
  package let path: String
  package let description: Description
  package let model: TaskModel
  package let tokenizer: Tokenizer

  /// The contents of `task.json`.
  package struct Description: Codable, Equatable {
    var formatVersion = 1
    package var task: Task
    package var labels: LabelSet
    package var head: HeadStyle
    /// The length of the longest sequence in tokens, with special tokens.
    package var length: Int
    /// The SHA-256 of the vocabulary's file; nil until the model is written.
    var vocabulary: String?
    /// The arithmetic of the fine-tuning; nil until the model is written, and in older models.
    package var arithmetic: Arithmetic?

    package init(task: Task, labels: LabelSet, head: HeadStyle, length: Int) {
      (self.task, self.labels, self.head, self.length) = (task, labels, head, length)
    }

    private enum CodingKeys: String, CodingKey {
      case formatVersion = "format_version"
      case task, labels, head, arithmetic
      case length = "max_seq_length"
      case vocabulary = "vocab_sha256"
    }

    /// Why a model with so many positions cannot have this description; nil where it can.
    func problem(positions: Int) -> String? {
      if formatVersion != 1 {
        return "its format is \(formatVersion), which this program does not support"
      }
      if length > positions {
        return "max_seq_length \(length) is above the model's \(positions) positions"
      }
      if let problem = task.inconsistency { return problem }
      let hasLabels = [.classification, .multilabel, .tagging].contains(task.problem)
      return hasLabels && labels.count == 0 ? "it has no labels" : nil
    }

    /// The model with an encoder of these sizes and the head that the description asks for.
    package func model(_ sizes: NetworkSizes) -> TaskModel {
      TaskModel(
        sizes, task.problem, outputs: task.problem == .regression ? 1 : labels.count, style: head)
    }

    /// The class of transformers that loads the model; nil where there is none.
    var architecture: String? {
      if task.problem == .tagging { return "ElectraForTokenClassification" }
      guard head == .transformers else { return nil }
      return task.problem == .span
        ? "ElectraForQuestionAnswering" : "ElectraForSequenceClassification"
    }
  }

  /// Opens the folder of a model, or the best model of a fine-tuning's folder.
  ///
  /// Throws an error that names the file: `FileError`, `TextError` or `ModelError`.
  package init(_ path: String) throws {
    guard let path = Self.model(in: path) else {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      guard exists && isFolder.boolValue else { throw unreadableModel(path) }
      throw FileError.unreadable(
        path: path + "/task.json",
        reason: "there is no such file; give the folder of a finished fine-tuning")
    }
    self.path = path
    let file = path + "/task.json"
    description = try decodeJSON(
      Description.self, FileManager.default.contents(atPath: file) ?? Data(), from: file)
    let folder = try HuggingFaceFolder(path)
    let tokenizer = try folder.tokenizer()
    if let digest = description.vocabulary, digest != tokenizer.vocabulary.digest {
      throw ModelError.unusable(
        path: path,
        reason: "its vocabulary is not the one that it was fine-tuned with; restore that one")
    }
    self.tokenizer = tokenizer
    if let problem = description.problem(positions: folder.sizes.positionCount) {
      throw ModelError.unusable(path: file, reason: problem)
    }
    model = description.model(folder.sizes)
  }

  /// Reads all weights, in the order of the model's layout.
  package func weights() throws -> Storage {
    let weights = Storage(count: model.layout.count)
    try ModelFile.read(ModelTensors(folder: path), model.layout, into: weights)
    return weights
  }

  /// The folder of the fine-tuned model at `path`; nil where there is none.
  ///
  /// `path` is that folder itself, the folder of a seed, or that of a whole fine-tuning, which has
  /// the model of its best seed.
  package static func model(in path: String) -> String? {
    let best = FileManager.default.contents(atPath: path + "/results.json")
      .flatMap { try? JSONDecoder().decode(FinetuningResults.self, from: $0) }
      .flatMap(\.best).map { "\(path)/\($0.folder)/model" }
    return [path, path + "/model", best].compactMap(\.self).first {
      FileManager.default.fileExists(atPath: $0 + "/task.json")
    }
  }

  /// Writes the folder of a model, replacing an existing one atomically.
  package static func write(
    _ weights: Storage, _ model: TaskModel, _ description: Description, _ tokenizer: Tokenizer,
    to path: String
  ) throws {
    let fault = FaultInjection.hook
    let folder = try AtomicFolder(replacing: path, fault: fault)
    try ModelFile.write(
      weights, model.layout, path: folder.partial + "/" + ModelTensors.fileName, fault: fault)
    for (name, data) in try files(model, description, tokenizer) {
      try DurableFile.write(Array(data), to: folder.partial + "/" + name, fault: fault)
    }
    try folder.publish()
  }

  /// The files other than the weights, by name.
  static func files(
    _ model: TaskModel, _ description: Description, _ tokenizer: Tokenizer
  ) throws -> [String: Data] {
    var files = try tokenizer.files(maximumLength: model.sizes.positionCount)
    var description = description
    description.vocabulary = tokenizer.vocabulary.digest
    files["task.json"] = try description.jsonDocument()
    files["config.json"] = try configurationFile(model, description, tokenizer)
    return files
  }

  /// The contents of `config.json`, for weights of this type.
  static func configurationFile(
    _ model: TaskModel, _ description: Description, _ tokenizer: Tokenizer,
    weights: WeightType = .float32
  ) throws -> Data {
    try Configuration(
      description: description, sizes: model.sizes,
      paddingID: tokenizer.vocabulary.special.padding, weights: weights
    ).jsonDocument()
  }

  /// The contents of `config.json`, with the keys by which transformers configures a head.
  private struct Configuration: Encodable {
    let description: Description
    let sizes: NetworkSizes
    let paddingID: Int32
    let weights: WeightType

    private enum Key: String, CodingKey {
      case names = "id2label"
      case indices = "label2id"
      case problem = "problem_type"
    }

    func encode(to encoder: any Encoder) throws {
      var configuration = HuggingFaceConfiguration(
        sizes, architecture: description.architecture, paddingID: paddingID)
      configuration.setWeights(weights)
      try configuration.encode(to: encoder)
      var values = encoder.container(keyedBy: Key.self)
      let isRegression = description.task.problem == .regression
      let names = isRegression ? ["score"] : description.labels.names
      if names.isEmpty { return }
      try values.encode(
        Dictionary(names.enumerated().map { ("\($0)", $1) }) { $1 }, forKey: .names)
      try values.encode(Dictionary(zip(names, names.indices)) { $1 }, forKey: .indices)
      if description.task.problem == .tagging { return }
      let isMultilabel = description.task.problem == .multilabel
      try values.encode(
        isRegression
          ? "regression"
          : isMultilabel ? "multi_label_classification" : "single_label_classification",
        forKey: .problem)
    }
  }
}
