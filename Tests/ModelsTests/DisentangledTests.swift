import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

/// Runs with disentangled embeddings, whose files have differences of tables.
struct DisentangledTests {
  private static let table = "embeddings.word_embeddings"
  private static let norm = "embeddings.LayerNorm.weight"

  private static let task: PretrainingTask = {
    var task = PretrainingTask()
    task.sharing = .disentangled
    return task
  }()

  /// A folder with a disentangled run in `run`, and its networks in `discriminator` and
  /// `generator`.
  private func folder(
    _ arithmetic: Arithmetic = .float32
  ) throws -> (TemporaryFolder, model: ElectraModel, weights: Storage) {
    let (folder, tokenizer) = (try TemporaryFolder(), try smallTokenizer())
    var configuration = smallConfiguration(tokenizer)
    configuration.recipe.task = Self.task
    configuration.arithmetic = arithmetic
    let (model, weights) = try writeRun(folder.file("run"), configuration, tokenizer)
    for part in [ModelPart.discriminator, .generator] {
      try HuggingFaceExport(from: folder.file("run"), part).write(to: folder.file(part.rawValue))
    }
    return (folder, model, weights)
  }

  /// The values of a parameter, which must exist.
  private func values(_ name: String, _ model: ElectraModel, _ weights: Storage) throws -> [Float] {
    weights.values(try #require(model.layout[name], "\(name)"))
  }

  private func load(
    _ paths: [String], _ task: PretrainingTask = task
  ) throws -> (model: ElectraModel, weights: Storage, notes: [String]) {
    let initial = try InitialModel(paths, task)
    let model = ElectraModel(initial.sizes, task)
    let weights = Storage(count: model.layout.count)
    return (model, weights, try initial.load(into: weights, model))
  }

  /// The exported discriminator has the sums, and the logits that the run computes with them.
  ///
  /// Products over other numbers of rows may add in another order.
  @Test(arguments: Arithmetic.allCases)
  func exportsHaveTheLogitsOfTheRun(arithmetic: Arithmetic) throws {
    let (folder, model, weights) = try folder(arithmetic)
    let (generator, delta) = (
      try values("generator.\(Self.table).weight", model, weights),
      try values("\(Self.table).delta", model, weights)
    )
    let sums = zip(generator, delta).map { $0 + $1 }
    for (part, expected) in [("discriminator", sums), ("generator", generator)] {
      let file = try ModelTensors(folder: folder.file(part))
      var exported = [Float](repeating: 0, count: expected.count)
      try file.copyFloats(of: "electra.\(Self.table).weight", into: &exported)
      #expect(exported == expected, "\(part)")
      #expect(!file.entries.contains { $0.name.hasSuffix(".delta") })
    }
    let lines = ["the cat sat", "a mat"]
    let ours = try DetectedText.of(lines, folder.file("run"))
    if arithmetic == .float32 {
      let exported = try DetectedText.of(lines, folder.file("discriminator"))
      #expect(exported.map(\.logits) == ours.map(\.logits))
    }
    #expect(
      try encoder(EncoderSource(folder.file("run")))
        == encoder(EncoderSource(folder.file("discriminator"))))
    let arena = Arena(capacity: MicroBatchPass.capacity(model, BatchShape(tokens: 20, longest: 20)))
    for text in ours {
      var batch = Batch()
      batch.append(tokens: text.ids, segmentIDs: repeatElement(0, count: text.ids.count))
      let context = PassContext(
        batch: batch, weights: Weights(weights, arithmetic: arithmetic), gradient: nil, seed: nil)
      let logits = MicroBatchPass(
        model, batch, .init(tokens: text.ids), pass: context, arena: arena
      ).discriminate(text.ids, weight: nil).logits
      #expect(logits.count == text.logits.count && !logits.isEmpty)
      #expect(zip(logits, text.logits).allSatisfy { abs($0 - $1) < 1e-5 }, "\(logits)")
      arena.release(to: 0)
    }
  }

  @Test
  func aRunBeginsWithTheTablesOfAnother() throws {
    let (folder, model, weights) = try folder()
    #expect(try load([folder.file("run")]).weights.values == weights.values)
    // A pair of folders: the difference is computed, and rounded.
    let pair = try load([folder.file("discriminator"), folder.file("generator")])
    #expect(pair.weights.values.count == weights.values.count)
    for (ours, theirs) in zip(pair.weights.values, weights.values) {
      #expect(abs(ours - theirs) < 1e-6)
    }
    #expect(pair.notes.count == 2, "\(pair.notes)")
    // Other tasks begin with the sums.
    var shared = Self.task
    shared.sharing = .embeddings
    let usual = try load([folder.file("run")], shared)
    let sums = try values("\(Self.table).weight", usual.model, usual.weights)
    #expect(
      sums
        == zip(
          try values("generator.\(Self.table).weight", model, weights),
          try values("\(Self.table).delta", model, weights)
        ).map { $0 + $1 })
  }

  /// A model without embeddings of its generator gives its own to both networks.
  @Test(arguments: [false, true])
  func sharedTablesAreTheGeneratorsAtFirst(isFolder: Bool) throws {
    let folder = try exportedRun()
    let ours = try CheckpointFolder(folder.file("run"))
    let loaded = try load([folder.file(isFolder ? "discriminator" : "run")])
    let weights = try ours.weights()
    for name in ["\(Self.table).weight", Self.norm] {
      #expect(
        try values("generator." + name, loaded.model, loaded.weights)
          == values(name, ours.model, weights), "\(name)")
    }
    #expect(
      try values(Self.norm, loaded.model, loaded.weights) == values(Self.norm, ours.model, weights))
    #expect(try values("\(Self.table).delta", loaded.model, loaded.weights).allSatisfy { $0 == 0 })
    #expect(!loaded.notes.contains { $0.contains("missing tensors") }, "\(loaded.notes)")
  }
}
