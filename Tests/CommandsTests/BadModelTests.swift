import Foundation
import TestSupport
import Testing

/// Damaged models of other programs give one sentence and status 65 or 66, and no output.
struct BadModelTests {
  /// Changes one file of the exported discriminator, runs `detect` and `pretrain --init-from`, and
  /// restores the file.
  private func expect(
    _ folder: TemporaryFolder, _ file: String, status: Int32 = 65, says: String,
    _ location: SourceLocation = #_sourceLocation, change: (inout Data) throws -> Void
  ) throws {
    let url = URL(fileURLWithPath: "\(folder.path)/discriminator/\(file)")
    let original = try Data(contentsOf: url)
    var changed = original
    try change(&changed)
    if changed.isEmpty {
      try FileManager.default.removeItem(at: url)
    } else {
      try changed.write(to: url)
    }
    let commands = [
      ["detect", "--from", "discriminator"],
      ["pretrain"] + smallModel + [
        "--data", "data", "--output", "again", "--init-from", "discriminator",
      ],
    ]
    for command in commands {
      let result = try Program.run(command, input: "mune", in: folder.path)
      #expect(result.status == status, "\(result.errors)", sourceLocation: location)
      let isReported = result.errors.contains(says)
      #expect(isReported, "\(result.errors)", sourceLocation: location)
    }
    let isMade = FileManager.default.fileExists(atPath: folder.path + "/again/config.json")
    #expect(!isMade, sourceLocation: location)
    try original.write(to: url)
  }

  private func replace(_ old: String, _ new: String) -> (inout Data) throws -> Void {
    return { data in
      let text = String(decoding: data, as: UTF8.self)
      try #require(text.contains(old))
      data = Data(text.replacingOccurrences(of: old, with: new).utf8)
    }
  }

  @Test
  func configurationsThatCannotBeUsedAreRefused() throws {
    let folder = try exportedModels()
    for (old, new, says) in [
      ("\"hidden_act\" : \"gelu\"", "\"hidden_act\" : \"relu\"", "hidden_act is relu"),
      ("\"absolute\"", "\"relative_key\"", "position_embedding_type is relative_key"),
      ("num_attention_heads\" : 2", "num_attention_heads\" : 3", "3 attention heads do not divide"),
      ("hidden_size\" : 32", "hidden_size\" : 0", "hidden_size is 0"),
      ("hidden_size\" : 32", "hidden_size\" : 4611686018427387904", "hidden_size is 46116860"),
      ("model_type\" : \"electra", "model_type\" : \"roberta", "model_type is roberta"),
      ("{", "{ \"is_decoder\": true,", "is_decoder is true"),
      ("type_vocab_size\" : 2", "type_vocab_size\" : 1", "it must be between 2 and"),
      ("num_hidden_layers", "layers_of_num", "num_hidden_layers is missing"),
      ("intermediate_size\" : 128", "intermediate_size\" : \"many\"", "intermediate_size"),
      ("{", "[", "discriminator/config.json"),
      // The message names the tensor and both shapes.
      (
        "intermediate_size\" : 128", "intermediate_size\" : 127",
        "intermediate.dense.weight has shape [128, 32], expected [127, 32]"
      ),
    ] {
      try expect(folder, "config.json", says: says, change: replace(old, new))
    }
    try expect(folder, "config.json", status: 66, says: "there is no such file") { $0 = Data() }
  }

  @Test
  func tensorsThatCannotBeReadAreRefused() throws {
    let folder = try exportedModels()
    let name = "model.safetensors"
    try expect(folder, name, says: "are too few for a header") { $0 = $0.prefix(5) }
    try expect(folder, name, says: "is not a valid safetensors file") { $0.removeLast(7) }
    try expect(folder, name, says: "in a file of") { $0[6] = 0xFF }
    try expect(folder, name, says: "not a JSON object") { $0[8] = UInt8(ascii: "[") }
    try expect(
      folder, name, says: "word_embeddings.weight",
      change: { data in
        let range = try #require(data.range(of: Data("word_embeddings".utf8)))
        data.replaceSubrange(range, with: Data("ward_embeddings".utf8))
      })
    // Only tensors that are used must have floats.
    try expect(
      folder, name, says: "word_embeddings.weight has type I32, expected a float type",
      change: { data in
        let range = try #require(
          data.range(of: Data("word_embeddings.weight\":{\"dtype\":\"F".utf8)))
        data[range.upperBound - 1] = UInt8(ascii: "I")
      })
  }

  @Test
  func tokenizersThatCannotBeUsedAreRefused() throws {
    let folder = try exportedModels()
    try expect(
      folder, "vocab.txt", says: "vocab.txt and tokenizer.json have different tokens",
      change: { $0.removeSubrange(($0.dropLast().lastIndex(of: 0x0A) ?? 0)...) })
    try expect(
      folder, "vocab.txt", says: "vocab.txt and tokenizer.json have different tokens",
      change: { $0 += Data("more\n".utf8) })
    try FileManager.default.removeItem(atPath: folder.path + "/discriminator/vocab.txt")
    let name = "tokenizer.json"
    for (old, new, says) in [
      ("\"type\": \"WordPiece\",\n", "\"type\": \"BPE\",\n", "its model is BPE"),
      ("\"[UNK]\": 1,", "\"[UNK]\": 0,", "have the same id 0"),
      ("\"[UNK]\": 1,", "\"[UNK]\": 1.5,", "is not an integer"),
      ("\"[UNK]\": 1,", "\"[UNK]\": 1000000,", "tokens has the id 1"),
      ("\"[UNK]\": 1,", "", "tokens has the id 1"),
      ("\"version\"", "version", "it is not a tokenizer"),
    ] {
      try expect(folder, name, says: says, change: replace(old, new))
    }
  }

  @Test
  func foldersThatDoNotBelongTogetherAreRefused() throws {
    let folder = try exportedModels()
    func expect(
      _ arguments: [String], status: Int32, says: String,
      _ location: SourceLocation = #_sourceLocation
    ) throws {
      let result = try Program.run(arguments, input: "mune", in: folder.path)
      #expect(result.status == status, "\(result.errors)", sourceLocation: location)
      let isReported = result.errors.contains(says)
      #expect(isReported, "\(result.errors)", sourceLocation: location)
    }
    let pretrain =
      ["pretrain"] + smallModel + ["--data", "data", "--output", "again", "--init-from"]
    try expect(
      ["detect", "--from", "generator"], status: 65, says: "a discriminator is needed")
    try expect(pretrain + ["generator"], status: 64, says: "is a generator; give")
    try expect(
      pretrain + ["discriminator", "--init-from", "discriminator"], status: 64,
      says: "are both discriminators")
    try expect(pretrain + ["absent"], status: 66, says: "there is no such folder")
    try expect(
      ["export", "--from", "run", "--output", "generator"], status: 73, says: "generator exists")
    try expect(
      ["export", "--from", "run", "--output", "/proc/none"], status: 73, says: "/proc/none")
    let other = try Program.run(
      ["vocabulary", "text.txt", "--size", "280", "--output", "other.txt"], in: folder.path)
    #expect(other.status == 0)
    let data = try Program.run(
      [
        "prepare", "text.txt", "--vocabulary", "other.txt", "--output", "other", "--length", "32",
      ], in: folder.path)
    #expect(data.status == 0)
    try expect(
      [
        "pretrain", "--data", "other", "--output", "again", "--init-from", "discriminator",
      ], status: 64, says: "prepare the data with --vocabulary discriminator")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/again"))
  }
}
