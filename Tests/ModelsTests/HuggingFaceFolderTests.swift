import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Tokenization
import Training

/// Hugging Face folders, as our exports and other programs write them.
struct HuggingFaceFolderTests {
  private func edit(
    _ folder: TemporaryFolder, _ name: String, _ old: String, _ new: String
  ) throws {
    let text = try folder.text(name)
    #expect(text.contains(old), "\(text)")
    try folder.write(text.replacingOccurrences(of: old, with: new), name)
  }

  private func problem(_ folder: TemporaryFolder) -> String {
    sentence { _ = try PretrainedDiscriminator(from: folder.file("discriminator")) }
  }

  @Test
  func ourFoldersAreDistinguishedFromTheirs() throws {
    let folder = try exportedRun()
    #expect(HuggingFaceFolder.isOne(folder.file("discriminator")))
    for ours in ["run", "run/checkpoints/step-00000005", "none"] {
      #expect(!HuggingFaceFolder.isOne(folder.file(ours)))
    }
  }

  @Test(arguments: [
    ("\"hidden_act\" : \"gelu\"", "\"hidden_act\" : \"relu\"", "hidden_act is relu"),
    ("\"hidden_size\" : 16", "\"hidden_size\" : 15", "heads do not divide a hidden size of 15"),
    ("\"hidden_size\" : 16", "\"hidden_size\" : 18", ", expected"),
    ("\"hidden_size\" :", "\"hidden\" :", "the key hidden_size is missing"),
  ])
  func aConfigurationThatDoesNotFitIsNamed(old: String, new: String, reason: String) throws {
    let folder = try exportedRun()
    try edit(folder, "discriminator/config.json", old, new)
    let problem = problem(folder)
    #expect(problem.contains(reason), "\(problem)")
  }

  @Test
  func missingFilesAreNamed() throws {
    let folder = try exportedRun()
    for (name, reason) in [
      ("vocab.txt", ""), ("tokenizer.json", "it has no tokenizer"),
      ("config.json", "config.json: there is no such file"),
    ] {
      try FileManager.default.removeItem(atPath: folder.file("discriminator/" + name))
      let problem = problem(folder)
      #expect(reason.isEmpty ? problem == "" : problem.contains(reason), "\(name): \(problem)")
    }
  }

  @Test
  func aVocabularyAboveTheTableIsRefused() throws {
    let folder = try exportedRun()
    let files = try smallTokenizer(["the", "cat", "sat", "mat", "dog"]).files(maximumLength: 12)
    for (name, data) in files { try folder.write(data, "discriminator/" + name) }
    #expect(
      problem(folder).contains("its vocabulary has 62 tokens, but its embedding table has 61 rows"))
  }

  /// Old BERT folders have the prefix `bert.`, and layer normalizations have gamma and beta.
  @Test
  func anOldBERTIsAnEncoder() throws {
    let folder = try exportedRun()
    let source = try EncoderSource(folder.file("run"))
    let checkpoint = try CheckpointFolder(folder.file("run"))
    let layout = StandaloneDiscriminator(checkpoint.model.sizes[.discriminator]).layout
    let weights = Storage(count: layout.count)
    let file = try ModelTensors(path: folder.file("discriminator/model.safetensors"))
    try ModelFile.copy(file, layout, into: weights, naming: Self.huggingFaceName)
    try FileManager.default.removeItem(atPath: folder.file("discriminator/model.safetensors"))
    let path = folder.file("discriminator/model.safetensors")
    let oldName = { (own: String) -> String? in
      guard let name = Self.huggingFaceName(own), name.hasPrefix("electra.") else { return nil }
      return name.replacingOccurrences(of: "electra.", with: "bert.")
        .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
        .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
    }
    try ModelFile.write(weights, layout, path: path, naming: oldName)
    try edit(folder, "discriminator/config.json", "\"electra\"", "\"bert\"")
    let old = try EncoderSource(folder.file("discriminator"))
    #expect(try encoder(old) == encoder(source))
    #expect(problem(folder).contains("it lacks"))
  }

  /// transformers writes large models in several files.
  @Test
  func aModelInSeveralFilesIsTheSame() throws {
    let folder = try exportedRun()
    for part in [ModelPart.discriminator, .generator] {
      try HuggingFaceExport(from: folder.file("run"), part)
        .write(to: folder.file("\(part)-sharded"), .init(type: .float32, shardSize: "4kB"))
    }
    #expect(
      FileManager.default.fileExists(
        atPath: folder.file("discriminator-sharded/model.safetensors.index.json")))
    #expect(HuggingFaceFolder.isOne(folder.file("discriminator-sharded")))
    let lines = ["the cat sat", "mat"]
    #expect(
      try DetectedText.of(lines, folder.file("discriminator-sharded")).map(\.logits)
        == DetectedText.of(lines, folder.file("discriminator")).map(\.logits))
    let (one, several) = (
      try EncoderSource(folder.file("discriminator")),
      try EncoderSource(folder.file("discriminator-sharded"))
    )
    #expect(try encoder(several) == encoder(one))
    #expect(several.checksum.split(separator: " ").count > 1 && !one.checksum.contains(" "))
    #expect(
      sentence {
        try HuggingFaceExport(from: folder.file("run"), .generator)
          .write(to: folder.file("none"), .init(type: .float32, shardSize: "much"))
      }.contains("--shard-size much is not a size"))
  }

  private static func huggingFaceName(_ own: String) -> String? {
    PretrainingTask().huggingFaceName(own, of: .discriminator)
  }

  @Test
  func theTokenizerOfAnyFolderIsFound() throws {
    let folder = try exportedRun()
    let wanted = try smallTokenizer().encode("the cat sat")
    for name in ["run", "discriminator", "generator"] {
      #expect(try modelTokenizer(folder.file(name)).encode("the cat sat") == wanted)
    }
    #expect(sentence { _ = try modelTokenizer(folder.file("none")) }.contains("no such folder"))
  }
}
