import Electra
import Layers
import Models
import Tensors
import TestSupport
import Testing

struct PretrainedDiscriminatorTests {
  private func logits(_ path: String) throws -> [Float] {
    try DetectedText.of(["the cat sat", "a mat"], path).flatMap(\.logits)
  }

  @Test
  func aRunAndItsExportHaveTheSameLogits() throws {
    let folder = try exportedRun()
    let ours = try logits(folder.file("run"))
    #expect(Set(ours).count > 5)
    #expect(try logits(folder.file("discriminator")) == ours)
  }

  /// A Hugging Face folder does not say how it was trained.
  @Test
  func theArithmeticIsThatOfTheRun() throws {
    let folder = try TemporaryFolder()
    let run = folder.file("run")
    try writeRun(run, arithmetic: .bfloat16)
    #expect(try PretrainedDiscriminator(from: run).arithmetic == .bfloat16)
    try HuggingFaceExport(from: run, .discriminator).write(to: folder.file("model"))
    #expect(try PretrainedDiscriminator(from: folder.file("model")).arithmetic == .float32)
  }

  /// The last phase may have shorter sequences than the model can read.
  @Test
  func theLongestSequenceIsThatOfAllPhases() throws {
    let (folder, tokenizer) = (try TemporaryFolder(), try smallTokenizer())
    var configuration = smallConfiguration(tokenizer)
    var next = configuration.recipe
    next.length = 8
    configuration.append(.init(recipe: next, data: nil))
    let run = folder.file("run")
    try writeRun(run, configuration, tokenizer)
    #expect(try PretrainedDiscriminator(from: run).longest == 12)
    #expect(try ScoringModel(run).objective.longest == 12)
  }

  /// A line is split into parts of the model's length without [CLS] and [SEP].
  @Test
  func aModelWithoutRoomForTextIsRefused() throws {
    let (folder, tokenizer) = (try TemporaryFolder(), try smallTokenizer())
    var configuration = smallConfiguration(tokenizer)
    (configuration.model.positionCount, configuration.recipe.length) = (2, 2)
    try writeRun(folder.file("run"), configuration, tokenizer)
    try HuggingFaceExport(from: folder.file("run"), .discriminator).write(to: folder.file("model"))
    let two = sentence { _ = try PretrainedDiscriminator(from: folder.file("model")) }
    #expect(two.contains("its sequences have at most 2 tokens"), "\(two)")
  }

  /// Their logits could not be written as JSON.
  @Test(arguments: [Float.nan, .infinity])
  func aModelWithValuesThatAreNotFiniteIsRefused(value: Float) throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run")) { weights, model in
      let parameter = model.layout.parameters.first { $0.name.hasPrefix("discriminator.") }
      weights.base[parameter?.offset ?? 0] = value
    }
    try HuggingFaceExport(from: folder.file("run"), .discriminator).write(to: folder.file("model"))
    let error = sentence { _ = try PretrainedDiscriminator(from: folder.file("model")) }
    #expect(error.contains("has values that are not finite"), "\(error)")
  }

  @Test
  func modelsThatDetectNothingAreRefused() throws {
    let folder = try exportedRun()
    let generator = sentence { _ = try PretrainedDiscriminator(from: folder.file("generator")) }
    #expect(generator.contains("it is a generator; a discriminator is needed"))
    try writeRun(folder.file("mlm"), objective: .mlm)
    let mlm = sentence { _ = try PretrainedDiscriminator(from: folder.file("mlm")) }
    #expect(mlm.contains("its objective is mlm"), "\(mlm)")
    // An encoder without a discriminator's head.
    try HuggingFaceExport(from: folder.file("mlm"), .discriminator).write(to: folder.file("bert"))
    let bert = sentence { _ = try PretrainedDiscriminator(from: folder.file("bert")) }
    #expect(bert.contains("cannot use"), "\(bert)")
  }
}
