import Foundation
import TestSupport
import Testing

/// Options for an existing run: a different value is refused by name if it affects the result.
///
/// Equal values, and options that do not affect the result, are accepted.
@Suite(.serialized)
struct ExistingRunTests {
  private static let tiny = [
    "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--batch", "8",
    "--steps", "6", "--hours", "0",
  ]

  private func pretrain(
    _ folder: TemporaryFolder, _ arguments: [String], status: Int32 = 75, says: String = "",
    environment: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(arguments, environment: environment, in: folder.path)
    #expect(result.status == status, "\(arguments): \(result.errors)", sourceLocation: location)
    let isReported = says.isEmpty || result.errors.contains(says)
    #expect(isReported, "\(arguments): \(result.errors)", sourceLocation: location)
  }

  private func edit(_ folder: TemporaryFolder, _ file: String, _ old: String, _ new: String) throws
  {
    let text = try folder.text(file)
    #expect(text.contains(old))
    try folder.write(text.replacingOccurrences(of: old, with: new), file)
  }

  @Test(arguments: [true, false])
  func anotherPresetIsRefused(isRecorded: Bool) throws {
    let folder = try preparedData(documents: 100)
    let run = Self.tiny + ["--output", "run"]
    try pretrain(folder, run)
    // Runs of earlier versions have no such file.
    if !isRecorded { try FileManager.default.removeItem(atPath: folder.file("run/start.json")) }
    for preset in ["small", "small++", "base", "large"] {
      try pretrain(
        folder, ["pretrain", "--data", "data", "--output", "run", "--preset", preset], status: 64,
        says: "--preset is tiny there and \(preset) here")
    }
    try pretrain(
      folder, run + ["--generator-width", "1"], status: 64, says: "--generator-width is 64 there")
    try pretrain(folder, run)
    try pretrain(
      folder,
      run + [
        "--threads", "2", "--log-every", "7", "--evaluate-every", "3", "--evaluate-examples", "9",
        "--save-every", "2", "--save-minutes", "9", "--keep", "2", "--deadline", "step=90",
        "--grace", "20", "--timeline", "timeline.json", "--stop-when-unhealthy", "--recompute",
        "--verbose",
      ])
    // Omitted options keep the values of the run.
    try pretrain(folder, ["pretrain", "--data", "data", "--output", "run", "--hours", "0"])
    for (option, key) in [
      ("--whole-words", "--whole-words"), ("--disallow-correct", "--disallow-correct"),
      ("--mask-with-replacement", "--mask-with-replacement"),
    ] {
      try pretrain(folder, run + [option], status: 64, says: key + " is ")
    }
  }

  @Test
  func aConfigurationThatDiffersIsRefusedByItsKeys() throws {
    let folder = try InvarianceTests.folder()
    let run = InvarianceTests.command + ["--output", "run", "--hours", "0"]
    try pretrain(folder, run)
    for (key, old, new, says) in [
      ("learning_rate", "0.01", "0.02", "--learning-rate is 0.01 there and 0.02 here"),
      ("hidden_size", "35", "30", "hidden_size of odd.json is 35 there and 30 here"),
      ("adam_beta2", "0.98", "0.99", "adam_beta2 of odd.json is 0.98 there and 0.99 here"),
      (
        "sampling", "\"inverse\"", "\"gumbel\"",
        "sampling of odd.json is inverse there and gumbel here"
      ),
    ] {
      try edit(folder, "odd.json", "\"\(key)\":\(old)", "\"\(key)\":\(new)")
      try pretrain(folder, run, status: 64, says: says)
      try edit(folder, "odd.json", "\"\(key)\":\(new)", "\"\(key)\":\(old)")
    }
    try pretrain(
      folder,
      [
        "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--objective",
        "electra",
      ], status: 64,
      says: "--preset is a file of --config there")
    // The run's own configuration is accepted as --config.
    try pretrain(
      folder,
      [
        "pretrain", "--data", "data", "--output", "run", "--hours", "0", "--config",
        "run/config.json",
      ])
    try pretrain(folder, run)
  }

  @Test
  func anotherRampIsRefused() throws {
    let folder = try preparedData(documents: 100)
    let run = Self.tiny + ["--output", "run", "--discriminator-ramp"]
    for _ in 0..<2 { try pretrain(folder, run + ["0.1:0.4"]) }
    try pretrain(
      folder, run + ["0.2:0.4"], status: 64,
      says: "--discriminator-ramp is 0.1:0.4 there and 0.2:0.4 here")
  }

  /// `config.json` of a run of an earlier version has no key for the way to sample.
  @Test
  func aRunOfAnEarlierVersionKeepsItsSamples() throws {
    let folder = try InvarianceTests.folder()
    let command = InvarianceTests.command
    try pretrain(folder, command + ["--output", "inverse"], status: 0)
    try edit(folder, "odd.json", "\"sampling\":\"inverse\"", "\"sampling\":\"gumbel\"")
    try pretrain(folder, command + ["--output", "gumbel"], status: 0)
    try edit(folder, "odd.json", "\"sampling\"", "\"unknown\"")
    try pretrain(folder, command + ["--output", "old", "--hours", "0"])
    try edit(folder, "old/config.json", "\"sampling\"", "\"unknown\"")
    try pretrain(folder, command + ["--output", "old"], status: 0)
    let old = try InvarianceTests.Outcome(folder, "old")
    #expect(try old == InvarianceTests.Outcome(folder, "gumbel"))
    #expect(try old != InvarianceTests.Outcome(folder, "inverse"))
  }

  @Test
  func otherFirstWeightsAreRefused() throws {
    let folder = try exportedModels()
    let begin = Self.tiny + ["--output", "second", "--init-from"]
    try pretrain(folder, begin + ["discriminator"])
    // The same command resumes, even if the model folder is gone; the same model elsewhere is
    // accepted.
    try FileManager.default.moveItem(
      atPath: folder.file("discriminator"), toPath: folder.file("moved"))
    try pretrain(folder, begin + ["discriminator"])
    try pretrain(folder, begin + ["moved"])
    try pretrain(folder, begin + ["run"], status: 64, says: "--init-from is discriminator there")
    try pretrain(
      folder, begin + ["moved", "--init-from", "generator"], status: 64,
      says: "--init-from is discriminator there and moved and generator here")
    try pretrain(
      folder, begin + ["moved", "--preset", "small"], status: 64, says: "--preset is tiny there")
    try pretrain(folder, Self.tiny + ["--output", "second"])
    // A run that started from new weights refuses --init-from.
    try pretrain(folder, Self.tiny + ["--output", "fresh"])
    try pretrain(
      folder, Self.tiny + ["--output", "fresh", "--init-from", "run"], status: 64,
      says: "--init-from is new weights there and run here")
    // A run of an earlier version has no record of its initial model.
    try FileManager.default.removeItem(atPath: folder.file("second/start.json"))
    try pretrain(folder, begin + ["discriminator"])
  }

  /// Without a checkpoint and without --init-from, the run would start from the wrong weights.
  @Test
  func firstWeightsAreNeededUntilThereIsACheckpoint() throws {
    let folder = try exportedModels()
    let begin = Self.tiny + ["--output", "second"]
    try pretrain(folder, begin + ["--init-from", "discriminator"])
    try FileManager.default.removeItem(atPath: folder.file("second/checkpoints"))
    try pretrain(folder, begin, status: 64, says: "give --init-from discriminator again")
    try pretrain(folder, begin + ["--init-from", "discriminator"], says: "discriminator of")
  }

  @Test
  func theWarmupOfAShortRunIsShort() throws {
    let folder = try preparedData(documents: 100)
    let run = Self.tiny + ["--output", "run"]
    try pretrain(folder, run)
    try edit(folder, "run/config.json", "\"num_warmup_steps\" : 1,", "\"num_warmup_steps\" : 4,")
    // A run of an earlier version keeps its warm-up and gets a warning.
    try pretrain(folder, run, says: "health: the warm-up takes 4 of 6 steps")
    try pretrain(folder, run + ["--warmup", "1"], status: 64, says: "--warmup is 4 there")
  }

  /// An environment variable selects the kernels of OpenBLAS.
  @Test
  func aResumeWithOtherKernelsIsNoted() throws {
    let folder = try preparedData(documents: 100)
    let run = Self.tiny + ["--output", "run"]
    func log() throws -> String {
      try folder.text("run/log.txt")
    }
    for _ in 0..<2 {
      try pretrain(folder, run, environment: ["OPENBLAS_CORETYPE": "Nehalem"])
    }
    #expect(try !log().contains("is resumed on"))
    try pretrain(
      folder, run, says: "kernels Prescott: from here on, the last bits",
      environment: ["OPENBLAS_CORETYPE": "Prescott"])
    try pretrain(folder, run, environment: ["OPENBLAS_CORETYPE": "Prescott"])
    #expect(try log().components(separatedBy: "is resumed on").count == 2)
  }
}
