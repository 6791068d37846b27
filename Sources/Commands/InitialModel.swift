import Electra
import Layers
import Tensors
import Tokenization
import Training

/// Where the first weights of a new run come from (`--init-from`): a checkpoint of ours, or folders
/// of transformers: a discriminator or BERT-style encoder, with or without its generator.
struct InitialModel {
  private enum Source {
    case checkpoint(CheckpointFolder)
    case folders(discriminator: HuggingFaceFolder, generator: HuggingFaceFolder?)
  }

  private let source: Source
  /// The model's sizes. A generator that is not given is a fourth as wide as its discriminator.
  let sizes: ElectraSizes

  /// Opens the folders and checks that they belong together.
  init(_ paths: [String]) throws {
    if paths.count == 1, !HuggingFaceFolder.isOne(paths[0]) {
      let checkpoint = try CheckpointFolder(paths[0])
      source = .checkpoint(checkpoint)
      sizes = checkpoint.configuration.model
      return
    }
    let folders = try paths.map { try HuggingFaceFolder($0) }
    func only(_ part: ModelPart) throws -> HuggingFaceFolder? {
      let found = folders.filter { $0.part == part }
      guard found.count < 2 else {
        throw UsageError(
          "--init-from \(found[0].path) and \(found[1].path) are both \(part.rawValue)s; give one")
      }
      return found.first
    }
    guard let discriminator = try only(.discriminator) else {
      throw UsageError(
        "--init-from \(paths[0]) is a generator; give its discriminator too, with a second "
          + "--init-from")
    }
    let generator = try only(.generator)
    source = .folders(discriminator: discriminator, generator: generator)
    sizes =
      generator.map {
        ElectraSizes(discriminator: discriminator.sizes, generator: $0.sizes.encoder)
      } ?? ElectraSizes(discriminator: discriminator.sizes)
    try checkSizes()
  }

  /// Compares every shape before a run's folder is made.
  private func checkSizes() throws {
    guard case .folders(let discriminator, let generator) = source else { return }
    let layout = ElectraModel(sizes).layout
    for folder in [generator, discriminator].compactMap(\.self) {
      _ = try folder.compare(layout)
    }
  }

  /// Makes sure that ids mean the same in the model and in the data.
  func expect(_ vocabulary: Vocabulary, of data: String) throws {
    let tokenizers: [(path: String, tokenizer: Tokenizer?)] =
      switch source {
      case .checkpoint(let checkpoint): [(checkpoint.path, checkpoint.tokenizer)]
      case .folders(let discriminator, let generator):
        try [discriminator, generator].compactMap(\.self).map { ($0.path, try $0.tokenizer()) }
      }
    for (path, tokenizer) in tokenizers {
      guard let own = tokenizer?.vocabulary else { continue }
      guard own.digest == vocabulary.digest else {
        throw UsageError(
          "the vocabulary of \(path) (\(own.size) tokens) is not that of \(data) "
            + "(\(vocabulary.size)); prepare the data with --vocabulary \(path)/vocab.txt")
      }
    }
  }

  /// Fills what the folders hold of `weights`; the rest keeps what it has. Returns what there is to
  /// say about it, one sentence a line.
  func load(into weights: Storage, _ model: ElectraModel) throws -> [String] {
    switch source {
    case .checkpoint(let checkpoint):
      try ModelFile.read(checkpoint.modelPath, model.layout, into: weights)
      return ["weights of \(checkpoint.path), after step \(checkpoint.state.step.grouped)"]
    case .folders(let discriminator, let generator):
      var notes: [String] = []
      if let generator { notes += try load(generator, into: weights, model) }
      let embeddings = Array(
        UnsafeBufferPointer(start: weights.base, count: model.embeddingRange.count))
      notes += try load(discriminator, into: weights, model)
      let isSame = embeddings.indices.allSatisfy { embeddings[$0] == weights.base[$0] }
      if generator == nil {
        notes.append("the generator begins with new weights")
      } else if !isSame {
        notes.append("the two have different embeddings; those of \(discriminator.path) are taken")
      }
      return notes
    }
  }

  private func load(
    _ folder: HuggingFaceFolder, into weights: Storage, _ model: ElectraModel
  ) throws -> [String] {
    let differences = try folder.load(into: weights, model.layout)
    var notes = ["\(folder.part.rawValue) of \(folder.path)"]
    if !differences.missing.isEmpty {
      notes.append("new weights for what it lacks: \(shortList(differences.missing))")
    }
    if !differences.leftOver.isEmpty {
      notes.append("not used of it: \(shortList(differences.leftOver))")
    }
    return notes
  }
}
