import Foundation
import TestSupport
import Testing
import Training

/// Folders, files and names that users give as models: each is read, or refused with a specific
/// remedy.
struct ModelFolderTests {
  private func errors(
    _ arguments: [String], status: Int32, in folder: TemporaryFolder,
    _ location: SourceLocation = #_sourceLocation
  ) throws -> String {
    let result = try Program.run(arguments, input: "mune rasi\n", in: folder.path)
    #expect(
      result.status == status, "\(arguments): \(result.errors)", sourceLocation: location)
    return result.errors
  }

  private func begin(_ model: String) -> [String] {
    [
      "pretrain", "--data", "data", "--output", "again", "--preset", "tiny", "--batch", "8",
      "--steps", "2", "--init-from", model,
    ]
  }

  /// The files of a folder, and a part of the message about them.
  private static let foreign: [([String], String)] = [
    (["model.safetensors.index.json", "model-00001-of-00002.safetensors"], "its model is sharded"),
    (
      ["pytorch_model.bin"],
      "ElectraForPreTraining as M; M.from_pretrained('x').save_pretrained('x')"
    ),
    (["pytorch_model-00001-of-00002.bin"], "M.from_pretrained('x').save_pretrained('x')"),
    (["tf_model.h5"], "M.from_pretrained('x', from_tf=True)"),
    (["flax_model.msgpack"], "M.from_pretrained('x', from_flax=True)"),
    (
      ["electra_small.index", "electra_small.meta"],
      "load_tf_weights_in_electra(m, m.config, 'x/electra_small'"
    ),
    (["adapter_config.json"], "it is an adapter of peft"),
    (["model.onnx"], "it has model.onnx"),
    (["0_Transformer/config.json", "0_Transformer/model.safetensors"], "such as x/0_Transformer"),
    (["notes.txt"], "it has no model"),
  ]

  @Test
  func formatsThatAreNotReadAreNamedWithTheirConversion() throws {
    for (names, says) in Self.foreign {
      let folder = try TemporaryFolder()
      for name in names + ["vocab.txt"] { try folder.write("", "x/\(name)") }
      try folder.write(
        #"{"model_type": "electra", "architectures": ["ElectraForPreTraining"]}"#, "x/config.json")
      for verb in ["detect", "export --output y", "finetune rte --data . --output y"] {
        let arguments = verb.split(separator: " ").map(String.init) + ["--from", "x"]
        let errors = try errors(arguments, status: 66, in: folder)
        #expect(errors.contains(says), "\(verb): \(errors)")
      }
    }
  }

  @Test
  func namesAndFilesAreNoFolders() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "m/model.safetensors")
    func detect(_ path: String) throws -> String {
      try errors(["detect", "--from", path], status: 66, in: folder)
    }
    let name = "google/electra-small-discriminator"
    #expect(
      try detect(name).contains("hf download \(name) --local-dir electra-small-discriminator"))
    #expect(try detect("bert-base-uncased").contains("hf download bert-base-uncased"))
    for path in ["m/electra", "./electra", "absent"] {
      let errors = try detect(path)
      #expect(errors.contains("there is no such folder") && !errors.contains("hf download"))
    }
    #expect(try detect("m/model.safetensors").contains("give the folder of the model"))
    #expect(
      try errors(["predict", "--from", name, "-"], status: 66, in: folder).contains("hf download"))
    #expect(
      try errors(["tokenize", "--from", name], status: 66, in: folder).contains("hf download"))
  }

  @Test
  func aTensorOfBooleansThatNothingAsksForIsIgnored() throws {
    let folder = try exportedModels()
    let tensors = try Data(folder.bytes("discriminator/model.safetensors"))
    try folder.write(
      with(tensors, #""flag":{"dtype":"BOOL","shape":[3],"#, 3), "discriminator/model.safetensors")
    let detected = try Program.run(
      ["detect", "--from", "discriminator"], input: "mune", in: folder.path)
    #expect(detected.status == 0, "\(detected.errors)")
    #expect(try errors(begin("discriminator"), status: 0, in: folder).contains("flag"))
  }

  @Test
  func aPointerOfGitLFSIsNamed() throws {
    let folder = try exportedModels()
    try folder.write(
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
      "discriminator/model.safetensors")
    #expect(
      try errors(begin("discriminator"), status: 66, in: folder).contains(
        "git -C discriminator lfs pull"))
  }

  /// Such a tokenizer can be used for inference, but not to prepare data.
  @Test
  func aTokenizerWithoutSpacesAroundIdeographsCannotPretrain() throws {
    let folder = try exportedModels()
    let configuration = try folder.text("discriminator/tokenizer_config.json")
    try folder.write(
      configuration.replacingOccurrences(
        of: "tokenize_chinese_chars\" : true", with: "tokenize_chinese_chars\" : false"),
      "discriminator/tokenizer_config.json")
    _ = try errors(["detect", "--from", "discriminator"], status: 0, in: folder)
    #expect(
      try errors(begin("discriminator"), status: 65, in: folder).contains(
        "tokenize_chinese_chars is false"))
  }

  /// A tokenizer as transformers 5 saves it.
  @Test
  func tokenizerJSONAloneIsEnoughAndOneOfBothIsNeeded() throws {
    let folder = try exportedModels()
    let prepare = [
      "prepare", "text.txt", "--output", "more", "--vocabulary", "discriminator/vocab.txt",
    ]
    let manager = FileManager.default
    try manager.removeItem(atPath: folder.file("discriminator/vocab.txt"))
    #expect(try errors(prepare, status: 66, in: folder).contains("makes discriminator/vocab.txt"))
    _ = try errors(begin("discriminator"), status: 0, in: folder)
    try manager.removeItem(atPath: folder.file("again"))
    try manager.removeItem(atPath: folder.file("discriminator/tokenizer.json"))
    for arguments in [begin("discriminator"), ["detect", "--from", "discriminator"]] {
      #expect(try errors(arguments, status: 65, in: folder).contains("it has no tokenizer"))
    }
    #expect(!manager.fileExists(atPath: folder.file("again")))
  }

  /// More embedding rows than tokens, as in tables that are padded to a multiple of 64.
  @Test
  func aPaddedEmbeddingTableIsRead() throws {
    let folder = try exportedModels()
    try FileManager.default.removeItem(atPath: folder.path + "/discriminator/tokenizer.json")
    let list = try folder.text("discriminator/vocab.txt").split(separator: "\n").dropLast()
    try folder.write(list.joined(separator: "\n") + "\n", "discriminator/vocab.txt")
    _ = try errors(["detect", "--from", "discriminator"], status: 0, in: folder)
    let data = try Program.run(
      ["prepare", "text.txt", "--output", "less", "--vocabulary", "discriminator/vocab.txt"],
      in: folder.path)
    #expect(data.status == 0, "\(data.errors)")
    var arguments = begin("discriminator")
    arguments[2] = "less"
    #expect(
      try errors(arguments, status: 65, in: folder)
        .contains("has 299 tokens, but its embedding table has 300 rows"))
  }

  /// The file with one more tensor of `count` bytes, whose header entry begins with `entry`.
  private func with(_ file: Data, _ entry: String, _ count: Int) -> Data {
    let length = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let data = file[(8 + length)...]
    let text = String(decoding: file[8..<8 + length], as: UTF8.self)
      .trimmingCharacters(in: .whitespaces).dropLast()
    let header = "\(text),\(entry)\"data_offsets\":[\(data.count),\(data.count + count)]}}"
    let size = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    return Data(size) + Data(header.utf8) + data + Data(repeating: 1, count: count)
  }

  @Test(.needsPython)
  func generatedTokenizersHaveTheIDsOfTransformers() throws {
    let folder = try TemporaryFolder()
    let check = try Program.python(
      "check-tokenizers.py", [Program.path, "--folders", "200"], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }
}
