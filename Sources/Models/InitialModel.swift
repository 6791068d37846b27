import Corpus
import Electra
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// Where the first weights of a new run come from (`--init-from`): a checkpoint of ours, or folders
/// of transformers: a discriminator or BERT-style encoder, with or without its generator.
package struct InitialModel {
  private enum Source {
    case checkpoint(CheckpointFolder)
    /// The folder of each network, the generator's first.
    case folders([(folder: HuggingFaceFolder, role: ModelPart)])
  }

  private let source: Source
  /// The model's sizes. A generator that is not given is a fourth as wide as its discriminator.
  package let sizes: ElectraSizes
  private let task: PretrainingTask

  /// Opens the folders and checks that they belong together.
  ///
  /// - Parameter task: of the run that begins.
  package init(_ paths: [String], _ task: PretrainingTask) throws {
    self.task = task
    if paths.count == 1, !HuggingFaceFolder.isOne(paths[0]) {
      let checkpoint = try CheckpointFolder(paths[0])
      source = .checkpoint(checkpoint)
      sizes = checkpoint.configuration.model
      return
    }
    let folders = try Self.roles(try paths.map { try HuggingFaceFolder($0) }, task)
    source = .folders(folders)
    func own(_ role: ModelPart) -> NetworkSizes? { folders.first { $0.role == role }?.folder.sizes }
    guard let discriminator = own(.discriminator) else {
      throw UsageError(
        "--init-from \(paths[0]) is a generator; give its discriminator too, with a second "
          + "--init-from")
    }
    sizes =
      own(.generator).map { ElectraSizes(discriminator: discriminator, generator: $0.encoder) }
      ?? ElectraSizes(discriminator: discriminator)
    try checkSizes()
  }

  /// What becomes of each folder. Without a generator the large encoder begins with any one folder.
  private static func roles(
    _ folders: [HuggingFaceFolder], _ task: PretrainingTask
  ) throws -> [(folder: HuggingFaceFolder, role: ModelPart)] {
    let roles = folders.map { (folder: $0, role: task.hasGenerator ? $0.part : .discriminator) }
    for part in ModelPart.allCases {
      let found = roles.filter { $0.role == part }
      guard found.count < 2 else {
        throw UsageError(
          task.hasGenerator
            ? "--init-from \(found[0].folder.path) and \(found[1].folder.path) are both "
              + "\(part.rawValue)s; give one"
            : "the objective \(task.objective.rawValue) has one network; give one --init-from")
      }
    }
    return roles.sorted { $0.role == .generator && $1.role != .generator }
  }

  /// Compares every shape before a run's folder is made.
  private func checkSizes() throws {
    guard case .folders(let folders) = source else { return }
    let layout = ElectraModel(sizes, task).layout
    for (folder, role) in folders { _ = try folder.compare(layout, task, as: role) }
  }

  /// Makes sure that ids mean the same in the model and in the data.
  package func expect(_ data: ShardSet) throws {
    switch source {
    case .checkpoint(let checkpoint): try data.expect(checkpoint.tokenizer, of: checkpoint.path)
    case .folders(let folders):
      for (folder, _) in folders {
        let tokenizer = try folder.tokenizer()
        try data.expect(tokenizer, of: folder.path)
        let (tokens, rows) = (tokenizer.vocabulary.size, folder.sizes.vocabularySize)
        guard tokens == rows else {
          throw ModelError.unusable(
            path: folder.path,
            reason: "its vocabulary has \(tokens) tokens and its embedding table \(rows) rows; add "
              + "lines such as [unused1] to vocab.txt, remove tokenizer.json, and prepare the data "
              + "again")
        }
      }
    }
  }

  /// Fills what the folders hold of `weights`; the rest keeps what it has. Returns what there is to
  /// say about it, one sentence a line.
  package func load(into weights: Storage, _ model: ElectraModel) throws -> [String] {
    switch source {
    case .checkpoint(let checkpoint):
      let differences = try load(checkpoint, into: weights, model)
      return ["weights of \(checkpoint.path), after step \(checkpoint.state.step.grouped)"]
        + notes(differences)
    case .folders(let folders):
      var notes: [String] = []
      var embeddings: [Float] = []
      for (folder, role) in folders {
        let before = embeddings
        notes.append("\(folder.part.rawValue) of \(folder.path)")
        notes += self.notes(try folder.load(into: weights, model.layout, task, as: role))
        embeddings = Array(
          UnsafeBufferPointer(start: weights.base, count: model.embeddingRange.count))
        if !before.isEmpty && task.sharing != .none && before != embeddings {
          notes.append("the two have different embeddings; those of \(folder.path) are taken")
        }
      }
      if task.hasGenerator && folders.count == 1 {
        notes.append("the generator begins with new weights")
      }
      return notes
    }
  }

  /// What a checkpoint has of the model. One of another objective has some of its tensors.
  private func load(
    _ checkpoint: CheckpointFolder, into weights: Storage, _ model: ElectraModel
  ) throws -> ModelFile.Differences {
    let file = try SafetensorsFile(path: checkpoint.modelPath)
    let differences = ModelFile.compare(file, model.layout) { $0 }
    try ModelFile.expectNone(differences.mismatched, path: checkpoint.modelPath)
    try ModelFile.copy(file, model.layout, into: weights) { $0 }
    return differences
  }

  private func notes(_ differences: ModelFile.Differences) -> [String] {
    var notes: [String] = []
    if !differences.missing.isEmpty {
      notes.append("new weights for what it lacks: \(shortList(differences.missing))")
    }
    if !differences.unused.isEmpty {
      notes.append("not used of it: \(shortList(differences.unused))")
    }
    return notes
  }
}
