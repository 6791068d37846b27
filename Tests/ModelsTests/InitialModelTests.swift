import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

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
