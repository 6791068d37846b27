import Foundation
import TestSupport
import Testing
import Training

/// Runs with deliberate health problems, and a healthy one.
@Suite(.serialized)
struct HealthTests {
  private static let pretrain =
    ["pretrain"] + smallModel + [
      "--data", "data", "--length", "32", "--batch", "16", "--slices", "4",
      "--log-every", "5", "--evaluate-every", "50", "--evaluate-examples", "50", "--output", "run",
    ]

  /// The health lines in the metrics of the run.
  private func warnings(_ folder: TemporaryFolder) throws -> [[String: String]] {
    try folder.metrics("run").filter { $0["split"] as? String == "health" }
      .map { $0.mapValues { "\($0)" } }
  }

  private func names(_ folder: TemporaryFolder) throws -> [String?] {
    try warnings(folder).map { $0["verdict"] }
  }

  @Test
  func aHealthyRunHasNoWarning() throws {
    let folder = try preparedData(documents: 2000)
    let result = try Program.run(
      Self.pretrain + ["--steps", "400", "--warmup", "100", "--stop-when-unhealthy"],
      in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try warnings(folder).isEmpty)
    #expect(result.errors.contains("health: no warnings"))
    #expect(result.errors.contains("published run of small: no value at "))
    #expect(result.errors.contains("the first is at step 4,000"))
  }

  @Test
  func aLargeGeneratorAndUniformSamplesAreNotesThatStopNothing() throws {
    let folder = try preparedData(documents: 2000)
    let large = try Program.run(
      Self.pretrain + [
        "--steps", "10", "--warmup", "1", "--generator-width", "1", "--stop-when-unhealthy",
      ], in: folder.path)
    #expect(large.status == 0, "\(large.errors)")
    #expect(try names(folder) == ["large-generator"])
    #expect(large.errors.contains("health: the generator's width is 32, more than half"))
    try FileManager.default.removeItem(atPath: folder.path + "/run")
    let uniform = try Program.run(
      Self.pretrain + [
        "--steps", "400", "--warmup", "50", "--generator", "uniform", "--stop-when-unhealthy",
      ], in: folder.path)
    #expect(uniform.status == 0, "\(uniform.errors)")
    #expect(try names(folder) == ["uniform-samples"], "\(uniform.errors)")
  }

  /// The same warnings at the same steps on any ranks and after any stop; both ranks end the same
  /// way.
  @Test
  func aRateFarTooHighStopsAllRanksWithACheckpoint() throws {
    let folder = try preparedData(documents: 2000)
    let command =
      Self.pretrain + [
        "--steps", "60", "--warmup", "0", "--learning-rate", "1", "--save-every", "1000",
      ]
    let result = try Program.run(command + ["--stop-when-unhealthy"], ranks: 2, in: folder.path)
    #expect(result.status == 77, "\(result.errors)")
    let warning = try #require(try warnings(folder).last)
    #expect(warning["verdict"] == "divergence" && warning["severity"] == "grave", "\(warning)")
    #expect(result.errors.contains("health: the loss is "))
    #expect(result.errors.contains("stopped by a fatal health warning after step"))
    let steps = try #require(warning["step"].flatMap { Int($0) })
    let store = CheckpointStore(runFolder: folder.path + "/run")
    #expect(store.steps().last == steps + 1)
    // A second start continues: the warning has been reported.
    let again = try Program.run(
      command + ["--stop-when-unhealthy", "--threads", "1"], in: folder.path)
    #expect(again.status == 0, "\(again.errors)")
    let all = try warnings(folder).map { $0.filter { $0.key != "time" } }
    try FileManager.default.moveItem(
      atPath: folder.path + "/run", toPath: folder.path + "/stopped")
    let whole = try Program.run(command, in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try warnings(folder).map { $0.filter { $0.key != "time" } } == all)
    #expect(Set(all.map { $0["verdict"] }).count == all.count, "a warning is repeated")
  }

  @Test
  func overfittingOnAFewSentencesStopsTheRun() throws {
    let folder = try preparedData(documents: 60)
    let result = try Program.run(
      [
        "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--length",
        "32", "--batch", "16", "--slices", "4", "--evaluate-examples", "50", "--output", "run",
        "--steps", "3000", "--warmup", "100", "--log-every", "20", "--evaluate-every", "200",
        // The former name of --stop-when-unhealthy.
        "--stop-when-sick",
      ], in: folder.path)
    #expect(result.status == 77, "\(result.errors)")
    #expect(try names(folder) == ["many-epochs", "overfitting"], "\(result.errors)")
  }

  /// A position embedding overflows when added, so only long sequences are not finite.
  @Test
  func aStepThatIsNotFiniteIsNamedAndKept() throws {
    let folder = try exportedModels()
    try FileManager.default.removeItem(atPath: folder.path + "/run")
    for part in ["discriminator", "generator"] {
      try poison(
        "\(folder.path)/\(part)/model.safetensors", "electra.embeddings.position_embeddings.weight",
        row: 29, by: 3e38)
    }
    let result = try Program.run(
      ["pretrain"] + smallModel + [
        "--data", "data", "--batch", "16", "--slices", "8", "--length", "32", "--steps", "400",
        "--init-from", "discriminator", "--init-from", "generator", "--output", "run",
      ], ranks: 2, in: folder.path)
    #expect(result.status == 70, "\(result.errors)")
    let warning = try #require(try warnings(folder).last)
    #expect(warning["verdict"] == "not-finite")
    let sentence = try #require(warning["sentence"])
    #expect(result.errors.contains("electra: " + sentence), "\(result.errors)")
    let step = try #require(warning["step"])
    #expect(sentence.contains(" is not finite in step \(step), slice "))
    struct Kept: Decodable {
      struct Sequence: Decodable {
        let number: Int
        let text: String
        let tokens: [Int]
      }
      let slice: Int
      let tensors: [String]
      let sequences: [Sequence]
    }
    let file = "\(folder.path)/run/not-finite-\(step).json"
    let kept = try JSONDecoder().decode(
      Kept.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    #expect(sentence.contains("slice \(kept.slice) of 0 to 7"))
    #expect(kept.sequences.map(\.number) == [2 * kept.slice, 2 * kept.slice + 1])
    #expect(kept.sequences.contains { $0.tokens.count > 29 })
    #expect(kept.sequences.allSatisfy { $0.text.hasPrefix("[CLS] ") })
    #expect(kept.tensors.contains("embeddings.position_embeddings.weight"))
  }

  /// Overwrites a row of a tensor with `value`.
  private func poison(_ path: String, _ tensor: String, row: Int, by value: Float) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let header = try #require(
      JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any])
    let entry = try #require(header[tensor] as? [String: Any])
    let shape = try #require(entry["shape"] as? [Int])
    let offsets = try #require(entry["data_offsets"] as? [Int])
    let offset = 8 + length + offsets[0] + 4 * row * shape[1]
    let bytes = [Float](repeating: value, count: shape[1]).withUnsafeBytes { Data($0) }
    data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    try data.write(to: URL(fileURLWithPath: path))
  }
}
