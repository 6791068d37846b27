import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Tokenization
import Training

struct InitialModelTests {
  private func load(
    _ paths: [String], _ task: PretrainingTask = PretrainingTask()
  ) throws -> (model: ElectraModel, weights: Storage, notes: [String]) {
    let initial = try InitialModel(paths, task)
    let model = ElectraModel(initial.sizes, task)
    let weights = Storage(count: model.layout.count)
    return (model, weights, try initial.load(into: weights, model))
  }

  @Test
  func aCheckpointGivesAllWeights() throws {
    let folder = try TemporaryFolder()
    let (model, weights) = try writeRun(folder.file("run"), steps: [1234])
    let loaded = try load([folder.file("run")])
    #expect(loaded.weights.values == weights.values)
    #expect(loaded.model.sizes == model.sizes)
    #expect(loaded.notes.count == 1 && loaded.notes[0].hasSuffix("after step 1,234"))
  }

  @Test(arguments: [["discriminator", "generator"], ["generator", "discriminator"]])
  func bothFoldersGiveAllWeightsInAnyOrder(names: [String]) throws {
    let folder = try exportedRun()
    let (loaded, ours) = (
      try load(names.map(folder.file)), try CheckpointFolder(folder.file("run"))
    )
    for parameter in loaded.model.layout.parameters {
      let source = try #require(ours.model.layout[parameter.name])
      #expect(
        loaded.weights.values(parameter) == (try ours.weights().values(source)),
        "\(parameter.name)")
    }
  }

  @Test
  func aGeneratorThatIsNotGivenIsNewAndAFourthAsWide() throws {
    let folder = try exportedRun()
    let loaded = try load([folder.file("discriminator")])
    let generator = loaded.model.sizes.generator
    #expect(generator.hiddenSize == 4 && generator.layerCount == 2)
    #expect(loaded.notes.contains("new weights for the generator's encoder and head"))
    let isNew = loaded.model.layout.parameters.filter { parameter in
      loaded.weights.values(parameter).allSatisfy { $0 == 0 }
    }
    #expect(!isNew.isEmpty && isNew.allSatisfy { $0.name.hasPrefix("generator") })
  }

  /// The head over the vocabulary of a BERT, under each of its names for the bias.
  @Test(arguments: ["cls.predictions.bias", "cls.predictions.decoder.bias"])
  func aBERTGivesItsHeadToAMaskedLanguageModel(bias: String) throws {
    let folder = try TemporaryFolder()
    var task = PretrainingTask()
    task.objective = .mlm
    let (model, weights) = try writeRun(folder.file("run"), objective: .mlm)
    try HuggingFaceExport(from: folder.file("run"), .discriminator).write(to: folder.file("bert"))
    try ModelFile.write(
      weights, model.layout, path: folder.file("bert/model.safetensors"),
      naming: { name in
        task.huggingFaceName(name, of: .discriminator, prefix: "bert.").map {
          $0.replacingOccurrences(of: "generator_predictions", with: "cls.predictions.transform")
            .replacingOccurrences(of: "generator_lm_head.bias", with: bias)
            .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
            .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
        }
      })
    let loaded = try load([folder.file("bert")], task)
    #expect(loaded.weights.values == weights.values)
    #expect(loaded.notes.count == 1, "\(loaded.notes)")
  }

  /// Tables padded to a multiple of 8 or 64.
  @Test
  func rowsOfNoTokenAreDropped() throws {
    let folder = try exportedRun()
    let files = try smallTokenizer(["the", "cat"]).files(maximumLength: 12)
    let names = ["discriminator", "generator"]
    for name in names {
      for (file, data) in files { try folder.write(data, "\(name)/\(file)") }
    }
    let loaded = try load(names.map(folder.file))
    #expect(loaded.model.sizes.vocabularySize == 59)
    #expect(loaded.notes.filter { $0.contains("2 rows that belong to no token") }.count == 2)
    let ours = try CheckpointFolder(folder.file("run"))
    for parameter in loaded.model.layout.parameters {
      let source = try #require(ours.model.layout[parameter.name])
      let expected = try ours.weights().values(source).prefix(parameter.count)
      #expect(loaded.weights.values(parameter) == Array(expected), "\(parameter.name)")
    }
  }

  @Test
  func foldersThatDoNotBelongTogetherAreRefused() throws {
    let folder = try exportedRun()
    let (discriminator, generator) = (folder.file("discriminator"), folder.file("generator"))
    func problem(_ paths: [String], _ task: PretrainingTask = PretrainingTask()) -> String {
      sentence { _ = try InitialModel(paths, task) }
    }
    #expect(problem([generator]).contains("is a generator; give its discriminator too"))
    #expect(problem([discriminator, discriminator]).contains("are both discriminators; give one"))
    var mlm = PretrainingTask()
    mlm.objective = .mlm
    #expect(problem([discriminator, generator], mlm).contains("has one network"))
  }

  @Test
  func aTensorOfAnotherShapeIsNamedBeforeAnythingIsRead() throws {
    let folder = try exportedRun()
    let path = "generator/config.json"
    let text = try folder.text(path).replacingOccurrences(
      of: "\"intermediate_size\" : 16", with: "\"intermediate_size\" : 24")
    try folder.write(text, path)
    let paths = [folder.file("discriminator"), folder.file("generator")]
    let problem = sentence { _ = try InitialModel(paths, PretrainingTask()) }
    #expect(problem.contains("has shape [16, 8], expected [24, 8]"), "\(problem)")
  }
}
