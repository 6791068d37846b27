import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Training

/// Fine-tuning compared with PyTorch: equal outputs of exported models, and equal losses of every
/// step.
@Suite(.serialized)
struct FinetuningPythonTests {
  @Test(.needsPython)
  func transformersLoadsAllKindsAndAgrees() throws {
    let folder = try finetunedModels()
    var expected: [String: [Sequence]] = [:]
    for problem in Problem.allCases {
      let name = problem.rawValue
      let exported = "exported/\(name)"
      try FileManager.default.createDirectory(
        atPath: folder.path + "/exported", withIntermediateDirectories: true)
      let result = try Program.run(
        ["export", "--from", name, "--output", exported], in: folder.path)
      #expect(result.status == 0, "\(result.errors)")
      expected[name] = try Self.sequences("\(folder.path)/\(exported)", problem)
    }
    try JSONEncoder().encode(expected).write(
      to: URL(fileURLWithPath: folder.path + "/exported/expected.json"))
    let check = try Program.python("check-finetuned.py", ["exported"], in: folder.path)
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }

  /// Given the same initial weights, batches and dropout masks, every step has the loss of PyTorch.
  ///
  /// This covers dropout, Adam, learning rates, layer decay, warm-up and gradient clipping.
  @Test(.needsPython, arguments: ["cola", "stsb"])
  func everyStepIsThatOfPyTorch(task: String) throws {
    let folder = try shortRun()
    let lines = madeText(documents: 8).split(separator: "\n")
    let rows = (0..<16).map { "\(lines[$0])\t\(lines[$0 + 16])\t\($0 % 6)\n" }
    for name in ["train.tsv", "dev.tsv"] {
      try folder.write(
        task == "stsb"
          ? "sentence1\tsentence2\tscore\n" + rows.joined()
          : (0..<32).map { "x\t\($0 % 2)\t\t\(lines[$0])\n" }.joined(), name)
    }
    let finetune = [
      "finetune", task, "--data", ".", "--from", "run", "--epochs", "12", "--batch", "16",
      "--log-every", "1",
    ]
    try runAll(
      [
        finetune + ["--output", "ours"],
        finetune + ["--output", "first", "--learning-rate", "1e-30"],
        ["export", "--from", "first", "--output", "model"],
      ], in: folder)
    let peer = try Program.shell(
      "exec \"$0\" \"$@\"",
      [
        try #require(Program.pythonPath), Program.launch + "/compare/finetuning-peer.py", task, ".",
        "--from", "model", "--recipe", "ours/finetuning.json", "--draws",
      ], in: folder.path)
    #expect(peer.status == 0, "\(peer.errors)")
    let theirs = try JSONDecoder().decode(Losses.self, from: Data(peer.output.utf8)).losses
    let ours = try folder.metrics("ours/seed-1").compactMap { $0["loss"] as? Double }
    try #require(ours.count == 24 && theirs.count == 24)
    // The tolerance allows for the rounding of float32 over 24 updates.
    for (loss, expected) in zip(ours, theirs) {
      #expect(abs(loss - expected) < 1e-3 * expected, "\(ours) \(theirs)")
    }
    // The regression is learned quickly. The labels of cola are arbitrary, so their loss stays at
    // chance.
    #expect(task == "cola" || ours[23] < ours[0])
  }

  private struct Losses: Decodable { let losses: [Double] }

  private struct Sequence: Encodable {
    let ids: [Int32]
    let types: [UInt8]
    let numbers: [Float]
  }

  /// Sequences of arbitrary ids with the outputs of our model.
  private static func sequences(_ path: String, _ problem: Problem) throws -> [Sequence] {
    let data = try #require(FileManager.default.contents(atPath: path + "/config.json"))
    let configuration = try JSONDecoder().decode(HuggingFaceConfiguration.self, from: data)
    let task = try #require(FileManager.default.contents(atPath: path + "/task.json"))
    let fields = try JSONSerialization.jsonObject(with: task) as? [String: Any]
    let labels = fields?["labels"] as? [String]
    let model = TaskModel(
      configuration.sizes, problem, outputs: max(1, labels?.count ?? 1), style: .transformers)
    let weights = Storage(count: model.layout.count)
    try ModelFile.read(path + "/model.safetensors", model.layout, into: weights)
    return [3, 17, 31].map { length in
      let ids = (0..<length).map { Int32($0 * 31 % 300) }
      let types = (0..<length).map { UInt8($0 * 2 > length ? 1 : 0) }
      var batch = Batch()
      batch.append(tokens: ids, segmentIDs: types)
      let arena = Arena(capacity: model.capacity(BatchShape(tokens: length, longest: length)))
      return Sequence(
        ids: ids, types: types,
        numbers: model.outputs(batch, weights: Weights(weights), arena: arena))
    }
  }
}
