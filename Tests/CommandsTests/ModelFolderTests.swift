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
      "pretrain", "--data", "data", "--output", "again", "--batch", "8", "--steps", "2",
      "--init-from", model,
    ] + smallModel
  }

  /// The files of a folder, and a part of the message about them.
  private static let foreign: [([String], String)] = [
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

  /// The model of such a tokenizer needs data that are prepared for it.
  @Test
  func aTokenizerWithoutSpacesAroundIdeographsHasItsOwnData() throws {
    let folder = try exportedModels()
    let configuration = try folder.text("discriminator/tokenizer_config.json")
    try folder.write(
      configuration.replacingOccurrences(
        of: "tokenize_chinese_chars\" : true", with: "tokenize_chinese_chars\" : false"),
      "discriminator/tokenizer_config.json")
    _ = try errors(["detect", "--from", "discriminator"], status: 0, in: folder)
    #expect(
      try errors(begin("discriminator"), status: 64, in: folder).contains(
        "accents stripped, ideographs not separated; lower case"))
    try FileManager.default.removeItem(atPath: folder.file("data"))
    let prepare = [
      "prepare", "text.txt", "--output", "data", "--vocabulary", "discriminator", "--length", "32",
    ]
    _ = try errors(prepare, status: 0, in: folder)
    _ = try errors(begin("discriminator"), status: 0, in: folder)
    let kept = try folder.text("again/checkpoints/step-00000002/tokenizer_config.json")
    #expect(kept.contains("tokenize_chinese_chars"))
  }

  /// The verbs that take `--vocabulary` read a model as they read a list, and refuse other options.
  @Test
  func everyVerbTakesAModelAsVocabulary() throws {
    let folder = try exportedModels()
    func output(_ verb: [String], _ vocabulary: String) throws -> String {
      let arguments = verb + ["--vocabulary", vocabulary]
      let result = try Program.run(arguments, input: "Mune rasi", in: folder.path)
      #expect(result.status == 0, "\(arguments): \(result.errors)")
      return result.output
    }
    let ids = try output(["tokenize"], "vocab.txt")
    for source in ["discriminator", "discriminator/tokenizer.json", "run", "data"] {
      #expect(try output(["tokenize"], source) == ids)
      _ = try output(["benchmark", "tokenizer", "text.txt", "--rounds", "1"], source)
      let name = source.replacingOccurrences(of: "/", with: "-")
      _ = try output(
        ["prepare", "text.txt", "--length", "32", "--output", "of-\(name)"], source)
      #expect(try folder.bytes("of-\(name)/data.json") == folder.bytes("data/data.json"))
      for verb in [["tokenize"], ["prepare", "text.txt", "--output", "other"]] {
        let arguments = verb + ["--vocabulary", source, "--cased"]
        #expect(
          try errors(arguments, status: 64, in: folder).contains("--cased contradicts"))
      }
    }
    #expect(
      try errors(["tokenize", "--vocabulary", "bert-base-uncased"], status: 66, in: folder)
        .contains("hf download bert-base-uncased"))
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
    #expect(try errors(prepare, status: 66, in: folder).contains("but a tokenizer.json"))
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
  func aPaddedEmbeddingTableLosesItsSpareRows() throws {
    let folder = try exportedModels()
    try FileManager.default.removeItem(atPath: folder.path + "/discriminator/tokenizer.json")
    let list = try folder.text("discriminator/vocab.txt").split(separator: "\n").dropLast()
    try folder.write(list.joined(separator: "\n") + "\n", "discriminator/vocab.txt")
    _ = try errors(["detect", "--from", "discriminator"], status: 0, in: folder)
    let data = try Program.run(
      [
        "prepare", "text.txt", "--output", "less", "--vocabulary", "discriminator/vocab.txt",
        "--length", "32",
      ], in: folder.path)
    #expect(data.status == 0, "\(data.errors)")
    try folder.write(
      folder.text("small.json").replacing("\"vocab_size\":300", with: "\"vocab_size\":299"),
      "small.json")
    var arguments = begin("discriminator")
    arguments[2] = "less"
    #expect(
      try errors(arguments, status: 0, in: folder)
        .contains("the embedding table of discriminator has 1 row that belong"))
    _ = try errors(["export", "--from", "again", "--output", "less-model"], status: 0, in: folder)
    #expect(try folder.text("less-model/config.json").contains("\"vocab_size\" : 299"))
  }

  @Test
  func anExportInAnotherFormatIsReadAgain() throws {
    let folder = try exportedModels()
    let export = ["export", "--from", "run", "--output"]
    let small = ["small", "--dtype", "bfloat16", "--shard-size", "50kB"]
    _ = try errors(export + small, status: 0, in: folder)
    let names = try folder.names("small")
    let shard = try #require(names.last { $0.hasPrefix("model-0000") }, "\(names)")
    #expect(!names.contains("model.safetensors"))
    #expect(names.contains("model.safetensors.index.json"))
    #expect(try folder.text("small/config.json").contains("\"torch_dtype\" : \"bfloat16\""))
    _ = try errors(["detect", "--from", "small"], status: 0, in: folder)
    #expect(
      try errors(export + ["none", "--shard-size", "big"], status: 64, in: folder)
        .contains("--shard-size big is not a size"))
    _ = try errors(export + ["none", "--dtype", "int8"], status: 64, in: folder)
    #expect(!FileManager.default.fileExists(atPath: folder.file("none")))
    try FileManager.default.removeItem(atPath: folder.file("small/\(shard)"))
    #expect(
      try errors(["detect", "--from", "small"], status: 66, in: folder)
        .contains("there is no such file, but small/model.safetensors.index.json names it"))
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
  func modelsOfTransformersAreTrainedAndGivenBack() throws {
    let folder = try TemporaryFolder()
    let check = try Program.python("check-models.py", [Program.path], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }

  @Test(.needsPython)
  func generatedTokenizersHaveTheIDsOfTransformers() throws {
    let folder = try TemporaryFolder()
    let check = try Program.python(
      "check-tokenizers.py", [Program.path, "--folders", "200"], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }
}
