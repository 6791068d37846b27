import Electra
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// Models exported to transformers and read back.
struct ExportTests {
  private static let text = [
    "bakoli mune rasi.", "To, vuze (ne) ra!", "Bä\u{301}ko 漢字 li\u{200D}mu", "",
  ]

  private func detect(_ from: String, in folder: TemporaryFolder) throws -> [Detection] {
    let lines = Self.text.filter { !$0.isEmpty }
    let result = try Program.run(
      ["detect", "--from", from, "--json"], input: lines.joined(separator: "\n"), in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    return try result.output.split(separator: "\n").map {
      try JSONDecoder().decode(Detection.self, from: Data($0.utf8))
    }
  }

  private struct Detection: Codable, Equatable {
    var ids: [Int]
    var logits: [Float]
  }

  @Test
  func anExportedDiscriminatorDetectsAsItsRunDoes() throws {
    let folder = try exportedModels()
    let expected = try detect("run", in: folder)
    #expect(expected.count == 3)
    #expect(try detect("discriminator", in: folder) == expected)
    // transformers 5 saves the vocabulary only in tokenizer.json.
    try FileManager.default.removeItem(atPath: folder.path + "/discriminator/vocab.txt")
    #expect(try detect("discriminator", in: folder) == expected)
  }

  /// The encoder of mlm-rtd has both heads and is exported with either.
  @Test
  func anEncoderWithTwoHeadsIsExportedWithEither() throws {
    let folder = try preparedData()
    let pretrain = [
      "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--length", "32",
      "--batch", "16", "--steps", "4",
    ]
    try runAll(
      [
        pretrain + ["--objective", "mlm-rtd", "--output", "run"],
        ["export", "--from", "run", "--output", "detector"],
        ["export", "--from", "run", "--part", "language-model", "--output", "predictor"],
        pretrain + ["--objective", "mlm", "--init-from", "predictor", "--output", "next"],
        pretrain + ["--output", "plain"],
      ], in: folder)
    #expect(try folder.text("detector/config.json").contains("ElectraForPreTraining"))
    #expect(try folder.text("predictor/config.json").contains("ElectraForMaskedLM"))
    #expect(try detect("detector", in: folder) == detect("run", in: folder))
    #expect(try !folder.text("next/log.txt").contains("missing tensors"))
    let refused = try Program.run(
      ["export", "--from", "plain", "--part", "language-model", "--output", "none"],
      in: folder.path)
    #expect(refused.status == 64 && refused.errors.contains("has no language-model"))
  }

  /// Every line has its answer: lines with CR, blank lines, and more lines than a batch.
  @Test
  func everyLineIsJudged() throws {
    let folder = try exportedModels()
    func judge(_ text: String) throws -> [String] {
      let result = try Program.run(
        ["detect", "--from", "run", "--json"], input: text, in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      return result.output.split(separator: "\n").map(String.init)
    }
    let windows = try judge("bakoli mune\r\n\r\nrasi\r\n")
    #expect(windows.count == 3)
    #expect(try judge("bakoli mune\n\nrasi") == windows)
    #expect(try judge(String(repeating: "bakoli mune rasi.\n", count: 700)).count == 700)
    let broken = try Program.shell(
      "printf 'ba\\n\\xff\\n' | $0 detect --from run", [Program.path], in: folder.path)
    #expect(broken.status == 65 && broken.errors.contains("line 2"), "\(broken.errors)")
  }

  @Test
  func aFolderIsNamedWithASlashOrWithout() throws {
    let folder = try exportedModels()
    let result = try Program.run(
      ["export", "--from", "run", "--output", "there/"], in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains("there") && !names.contains { $0.contains("partial") })
    #expect(FileManager.default.fileExists(atPath: folder.path + "/there/config.json"))
  }

  @Test
  func anExportedPairBeginsARunWithTheSameWeights() throws {
    let folder = try exportedModels()
    let begun = try Program.run(
      ["pretrain"] + smallModel + [
        "--data", "data", "--output", "again", "--batch", "8", "--steps", "5", "--hours", "0",
        "--save-every", "1", "--init-from", "generator", "--init-from", "discriminator",
      ], in: folder.path)
    #expect(begun.status == 75, "\(begun.errors)")
    func model(_ checkpoint: String) -> Data? {
      FileManager.default.contents(
        atPath: "\(folder.path)/\(checkpoint)/model.safetensors")
    }
    let expected = model("run/checkpoints/step-00000005")
    #expect(expected != nil && model("again/checkpoints/step-00000000") == expected)
  }

  @Test
  func anEncoderAloneBeginsARunAndWhatIsMissingIsListed() throws {
    let folder = try exportedModels()
    // The names of BERT: no prefix, no head, normalisations named as in TensorFlow.
    let path = folder.path + "/discriminator/model.safetensors"
    let file = try SafetensorsFile(path: path)
    let entries = file.entries.filter { !$0.name.hasPrefix("discriminator_") }
    let writer = try SafetensorsWriter(
      path: path + ".new",
      tensors: entries.map {
        let name = $0.name.dropFirst("electra.".count)
          .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
          .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
        return (name, $0.shape)
      } + [("pooler.dense.bias", [1])])
    for entry in entries { try writer.write(file.floats(of: entry.name), count: entry.count) }
    try writer.write([0], count: 1)
    try writer.finish()
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: path + ".new", toPath: path)

    let begun = try Program.run(
      ["pretrain"] + smallModel + [
        "--data", "data", "--output", "again", "--batch", "8", "--steps", "5", "--init-from",
        "discriminator",
      ], in: folder.path)
    #expect(begun.status == 0, "\(begun.errors)")
    let log = try folder.text("again/log.txt")
    #expect(log.contains("new weights for missing tensors: discriminator_predictions.dense.weight"))
    #expect(log.contains("unused tensors: pooler.dense.bias"))
    #expect(log.contains("new schedule: 5 steps"))
    let refused = try Program.run(
      ["detect", "--from", "discriminator"], input: "mune", in: folder.path)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("it lacks discriminator_predictions.dense.weight"))
  }

  /// A BERT-style run is exported with its head, and runs of both kinds can start from it.
  @Test
  func aMaskedLanguageModelIsExportedAndBeginsOtherRuns() throws {
    let folder = try exportedModels()
    let begin =
      ["pretrain"] + smallModel + [
        "--data", "data", "--batch", "8", "--steps", "5", "--hours", "0", "--save-every", "1",
      ]
    func run(_ arguments: [String], status: Int32 = 0) throws -> String {
      let result = try Program.run(arguments, in: folder.path)
      #expect(result.status == status, "\(arguments): \(result.errors)")
      return result.errors
    }
    _ = try run(begin.dropLast(4) + ["--output", "mlm", "--objective", "mlm"])
    _ = try run(["export", "--from", "mlm", "--output", "model"])
    let file = try SafetensorsFile(path: folder.path + "/model/model.safetensors")
    let names = Set(file.entries.map(\.name))
    #expect(
      names.isSuperset(of: [
        "electra.embeddings.word_embeddings.weight", "generator_predictions.dense.weight",
        "generator_predictions.LayerNorm.bias", "generator_lm_head.bias",
      ]))
    #expect(!names.contains { $0.hasPrefix("discriminator") })
    func weights(_ run: String, _ step: Int) -> Data? {
      FileManager.default.contents(
        atPath: "\(folder.path)/\(run)/checkpoints/step-0000000\(step)/model.safetensors")
    }
    _ = try run(
      begin + ["--output", "again", "--objective", "mlm", "--init-from", "model"], status: 75)
    #expect(weights("mlm", 5) != nil && weights("again", 0) == weights("mlm", 5))
    // Replaced token detection uses the weights that it shares with the checkpoint.
    let log = try run(begin + ["--output", "electra", "--init-from", "mlm"], status: 75)
    #expect(log.contains("new weights for missing tensors: generator.embeddings_project.weight"))
    #expect(log.contains("unused tensors: discriminator_lm_head.bias"))
    // Missing parts are refused with a sentence.
    let part = ["export", "--from", "mlm", "--output", "none", "--part", "generator"]
    #expect(try run(part, status: 64).contains("mlm has no generator: its objective is mlm"))
    #expect(
      try run(["detect", "--from", "mlm"], status: 65).contains("no head that detects replaced"))
    let two = ["--objective", "mlm", "--init-from", "model", "--init-from", "generator"]
    #expect(try run(begin + ["--output", "two"] + two, status: 64).contains("has one network"))
  }

  @Test(.needsPython)
  func transformersLoadsThemAndAgrees() throws {
    let folder = try exportedModels()
    for command in [
      ["pretrain"] + smallModel + [
        "--data", "data", "--output", "mlm", "--batch", "8", "--steps", "5", "--objective", "mlm",
      ], ["export", "--from", "mlm", "--output", "predictor"],
    ] {
      #expect(try Program.run(command, in: folder.path).status == 0)
    }
    let detections = try detect("run", in: folder)
    let lines = zip(Self.text, detections).map { text, detection in
      Expected.Line(text: text, ids: detection.ids, logits: detection.logits)
    }
    let expected = Expected(
      lines: lines,
      sequences: try sequences(folder, run: "run", part: "generator")
        + sequences(folder, run: "mlm", part: "predictor"))
    try JSONEncoder().encode(expected).write(
      to: URL(fileURLWithPath: folder.path + "/expected.json"))
    let check = try Program.python("check-export.py", ["."], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }

  private struct Expected: Encodable {
    let lines: [Line]
    let sequences: [Sequence]

    struct Line: Encodable {
      let text: String
      let ids: [Int]
      let logits: [Float]
    }

    struct Sequence: Encodable {
      let part: String
      let ids: [Int32]
      let targets: [Int32]
      let logProbabilities: [Float]
    }
  }

  /// Sequences of arbitrary ids with the log-probability, by the token predictor of `run`, of an
  /// arbitrary target at each position.
  private func sequences(
    _ folder: TemporaryFolder, run: String, part: String
  ) throws -> [Expected.Sequence] {
    let checkpoint = "\(folder.path)/\(run)/checkpoints/step-00000005"
    let data = try #require(FileManager.default.contents(atPath: checkpoint + "/config.json"))
    let configuration = try JSONDecoder().decode(PretrainingConfiguration.self, from: data)
    let model = ElectraModel(configuration.model, configuration.recipe.task)
    let weights = Storage(count: model.layout.count)
    try ModelFile.read(checkpoint + "/model.safetensors", model.layout, into: weights)
    return [1, 7, 40].map { length in
      let ids = (0..<length).map { Int32($0 * 31 % 300) }
      let targets = (0..<length).map { Int32(($0 * 17 + 5) % 300) }
      var batch = Batch()
      batch.append(tokens: ids, segmentIDs: repeatElement(0, count: length))
      var masked = Masking.Masked(tokens: ids)
      masked.positions = (0..<length).map { Int32($0) }
      masked.targets = targets
      let pass = PassContext(
        batch: batch, weights: Weights(weights), gradient: nil, seed: nil)
      let shape = BatchShape(tokens: 2 * length, longest: length)
      let arena = Arena(capacity: MicroBatchPass.capacity(model, shape))
      let micro = MicroBatchPass(model, batch, masked, pass: pass, arena: arena)
      let outcomes =
        part == "generator"
        ? micro.generate(draws: { _ in nil }, weight: nil) : micro.predict(ids, weight: nil)
      return Expected.Sequence(
        part: part, ids: ids, targets: targets, logProbabilities: outcomes.map { -$0.loss })
    }
  }
}
