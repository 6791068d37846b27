import Electra
import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Training

struct HuggingFaceExportTests {
  @Test(arguments: [
    (ModelPart.discriminator, "ElectraForPreTraining"), (.generator, "ElectraForMaskedLM"),
  ])
  func aFolderHasAllFilesAndTheTensorsOfItsNetwork(part: ModelPart, name: String) throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"), steps: [1234])
    let export = try HuggingFaceExport(from: folder.file("run"), part)
    #expect(export.architecture == name)
    try export.write(to: folder.file("model"))
    #expect(
      try folder.names("model") == [
        "README.md", "config.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json", "vocab.txt",
      ])
    let file = try SafetensorsFile(path: folder.file("model/model.safetensors"))
    let names = file.entries.map(\.name)
    #expect(names.contains("electra.embeddings.word_embeddings.weight"))
    // There is no tensor of the other network.
    #expect(names.contains { $0.hasPrefix("generator_") } == (part == .generator))
    #expect(names.contains { $0.hasPrefix("discriminator_") } == (part == .discriminator))
    #expect(try folder.text("model/config.json").contains("\"\(name)\""))
    let card = try folder.text("model/README.md")
    #expect(card.contains("ELECTRA \(part.rawValue)") && card.contains("| steps | 1,234 of "))
  }

  /// The exported weights are float32 in any case; the card alone names the arithmetic.
  @Test(arguments: [
    (Arithmetic.float32, "| arithmetic | float32 |"),
    (.bfloat16, "| arithmetic | bfloat16: matrix products of bfloat16 factors"),
    (.bfloat16AMX, "| arithmetic | bfloat16-amx: matrix products of bfloat16 factors"),
  ])
  func theCardNamesTheArithmeticOfTraining(arithmetic: Arithmetic, row: String) throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"), arithmetic: arithmetic)
    try writeRun(folder.file("other"))
    for run in ["run", "other"] {
      try HuggingFaceExport(from: folder.file(run), .discriminator)
        .write(to: folder.file(run + "-model"))
    }
    #expect(try folder.text("run-model/README.md").contains(row))
    for name in try folder.names("run-model") where name != "README.md" {
      #expect(try folder.bytes("run-model/\(name)") == folder.bytes("other-model/\(name)"))
    }
  }

  /// The steps are those of all phases, Muon's rate is named, and mlm-rtd is not in the paper.
  @Test
  func theCardOfASecondPhaseNamesAllStepsAndMuon() throws {
    let (folder, tokenizer) = (try TemporaryFolder(), try smallTokenizer())
    var configuration = smallConfiguration(tokenizer)
    configuration.recipe.steps = 1000
    configuration.append(.init(recipe: configuration.recipe, data: nil))
    configuration.recipe.steps = 500
    configuration.recipe.change(to: .mlmRTD)
    configuration.recipe.use(.muon)
    try writeRun(folder.file("run"), configuration, tokenizer, steps: [1500])
    try HuggingFaceExport(from: folder.file("run"), .discriminator)
      .write(to: folder.file("model"))
    let card = try folder.text("model/README.md")
    #expect(card.contains("| steps | 1,500 of 1,500 |"), "\(card)")
    #expect(card.contains(" (Muon: 2.0 times that), ") && !card.contains("Clark"), "\(card)")
  }

  /// A generator without a network has no loss.
  @Test(arguments: [
    (PretrainingTask.Generator.transformer, "| loss | masked language modelling + 50.0 x replaced"),
    (.unigram, "| loss | 50.0 x replaced token detection |"),
  ])
  func theCardHasTheTermsOfTheLoss(generator: PretrainingTask.Generator, row: String) throws {
    let folder = try TemporaryFolder()
    let tokenizer = try smallTokenizer()
    var configuration = smallConfiguration(tokenizer)
    configuration.recipe.task.generator = generator
    try writeRun(folder.file("run"), configuration, tokenizer)
    try HuggingFaceExport(from: folder.file("run"), .discriminator).write(to: folder.file("model"))
    #expect(try folder.text("model/README.md").contains(row))
  }

  @Test
  func aNetworkThatIsNotThereIsNamed() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("mlm"), objective: .mlm)
    let problem = sentence { _ = try HuggingFaceExport(from: folder.file("mlm"), .generator) }
    #expect(problem.hasPrefix("\(folder.file("mlm")) has no generator: its objective is mlm"))
    let encoder = try HuggingFaceExport(from: folder.file("mlm"), .discriminator)
    #expect(encoder.architecture == "ElectraForMaskedLM")
  }
}
