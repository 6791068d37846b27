import Corpus
import Electra
import Layers
import Platform
import Tensors
import Tokenization
import Training

/// The model whose weights a new run begins with (`--init-from`).
///
/// It is a checkpoint of this program, or a Hugging Face folder of a discriminator or a BERT
/// encoder, with or without the folder of its generator.
package struct InitialModel {
  private enum Source {
    case checkpoint(CheckpointFolder)
    /// The folder of each network, that of the generator first.
    case folders([(folder: HuggingFaceFolder, role: ModelPart)])
  }

  private let source: Source
  /// The sizes of the model.
  ///
  /// A missing generator is a quarter as wide as its discriminator.
  package let sizes: ElectraSizes
  private let task: PretrainingTask
  /// Notes for the log about the folders.
  private let remarks: [String]

  /// Opens the folders and checks that their sizes fit together.
  ///
  /// `task` is the pre-training task of the new run. Throws `UsageError` for folders that are not a
  /// discriminator with an optional generator, `CheckpointError.otherModel` for other shapes.
  package init(_ paths: [String], _ task: PretrainingTask) throws {
    self.task = task
    if paths.count == 1, !HuggingFaceFolder.isOne(paths[0]) {
      let checkpoint = try CheckpointFolder(paths[0])
      source = .checkpoint(checkpoint)
      (sizes, remarks) = (checkpoint.configuration.model, [])
      return
    }
    var opened = try paths.map { try HuggingFaceFolder($0) }
    remarks = try opened.indices.compactMap { index in
      let spare = try opened[index].dropSpareRows()
      return spare == 0
        ? nil
        : "the embedding table of \(paths[index]) has \(spare.of("row")) that belong to no token; "
          + "they are dropped"
    }
    let folders = try Self.roles(opened, task)
    source = .folders(folders)
    func networkSizes(_ role: ModelPart) -> NetworkSizes? {
      folders.first { $0.role == role }?.folder.sizes
    }
    guard let discriminator = networkSizes(.discriminator) else {
      throw UsageError(
        "--init-from \(paths[0]) is a generator; give its discriminator too, with a second "
          + "--init-from")
    }
    sizes =
      networkSizes(.generator).map {
        ElectraSizes(discriminator: discriminator, generator: $0.encoder)
      }
      ?? ElectraSizes(discriminator: discriminator)
    try checkSizes()
  }

  /// The network that each folder is copied into.
  ///
  /// A task without a generator has one network, which any one folder can initialize.
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

  /// Compares every shape, so that an error comes before the folder of the run is made.
  private func checkSizes() throws {
    guard case .folders(let folders) = source else { return }
    let layout = ElectraModel(sizes, task).layout
    for (folder, role) in folders { _ = try folder.compare(layout, task, as: role) }
  }

  /// Checks that model and data have the same vocabulary and normalization.
  package func expect(_ data: ShardSet) throws {
    switch source {
    case .checkpoint(let checkpoint): try data.expect(checkpoint.tokenizer, of: checkpoint.path)
    case .folders(let folders):
      for (folder, _) in folders { try data.expect(folder.tokenizer(), of: folder.path) }
    }
  }

  /// Copies the weights that the model has; others are left unchanged.
  ///
  /// Returns notes for the log: what was copied, and which tensors are missing or unused.
  package func load(into weights: Storage, _ model: ElectraModel) throws -> [String] {
    switch source {
    case .checkpoint(let checkpoint):
      let differences = try load(checkpoint, into: weights, model)
      return ["weights of \(checkpoint.path), after step \(checkpoint.state.step.grouped)"]
        + notes(differences)
    case .folders(let folders):
      var notes = remarks
      var embeddings: [Float] = []
      for (folder, role) in folders {
        // The discriminator is loaded last, so its embeddings win.
        let before = embeddings
        notes.append("\(folder.part.rawValue) of \(folder.path)")
        notes += self.notes(try folder.load(into: weights, model.layout, task, as: role))
        embeddings = Array(
          UnsafeBufferPointer(start: weights.base, count: model.embeddingRange.count))
        if !before.isEmpty && !task.generatorHasEmbeddings && before != embeddings {
          notes.append(
            "the two folders have different embeddings; those of \(folder.path) are used")
        }
      }
      model.subtractBases(in: weights, hasGenerator: folders.count == 2)
      if task.hasGenerator && folders.count == 1 {
        notes.append("new weights for \(newGeneratorParts)")
      }
      return notes
    }
  }

  /// The parts of a generator without a folder that are not shared with the discriminator.
  private var newGeneratorParts: String {
    switch task.sharing {
    case .none: "the generator"
    case .embeddings, .disentangled: "the generator's encoder and head"
    case .all: "the generator's head"
    }
  }

  /// Copies the tensors that the checkpoint and the model share; another objective has only some.
  ///
  /// The generator's embeddings in a disentangled model begin with those of the checkpoint's
  /// generator or, if it has none, with those of its discriminator.
  private func load(
    _ checkpoint: CheckpointFolder, into weights: Storage, _ model: ElectraModel
  ) throws -> ModelFile.Differences {
    let keepsDifferences = task.isDisentangled && checkpoint.model.task.isDisentangled
    let file =
      keepsDifferences
      ? try ModelTensors(path: checkpoint.modelPath) : try checkpoint.discriminatorTensors()
    func source(_ name: String) -> String {
      guard task.isDisentangled, file.entry(name) == nil else { return name }
      let (usual, generator) = (EmbeddingTable.nameOfSum(name), "generator.")
      return usual.hasPrefix(generator + "embeddings.")
        ? String(usual.dropFirst(generator.count)) : usual
    }
    let differences = ModelFile.compare(file, model.layout, naming: source)
    try ModelFile.expectNone(differences.mismatched, path: checkpoint.modelPath)
    try ModelFile.copy(file, model.layout, into: weights, naming: source)
    if !keepsDifferences { model.subtractBases(in: weights, hasGenerator: true) }
    return differences
  }

  private func notes(_ differences: ModelFile.Differences) -> [String] {
    var notes: [String] = []
    if !differences.missing.isEmpty {
      notes.append("new weights for missing tensors: \(shortList(differences.missing))")
    }
    if !differences.unused.isEmpty {
      notes.append("unused tensors: \(shortList(differences.unused))")
    }
    return notes
  }
}
