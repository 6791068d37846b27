import Foundation
import TestSupport
import Testing
import Training

/// Runs that begin with the whole state of another run's checkpoint (`--branch-from`).
struct BranchTests {
  /// Eight steps, so that learning rates after four of them have no rounding, and a ramp in their
  /// middle.
  private static let command =
    InvarianceTests.command + [
      "--steps", "8", "--save-every", "4", "--discriminator-ramp", "0.25:0.75",
    ]

  /// A folder with a run of eight steps and its checkpoint after four.
  private func folder() throws -> TemporaryFolder {
    try Fixtures.copy(of: "run of eight steps") {
      let folder = try InvarianceTests.folder()
      try runAll([Self.command + ["--output", "run"]], in: folder)
      return folder
    }
  }

  private func branch(_ output: String, _ more: [String] = []) -> [String] {
    [
      "pretrain", "--data", "data", "--log-every", "1", "--evaluate-every", "3",
      "--evaluate-examples", "40", "--output", output,
    ] + more
  }

  private let middle = ["--branch-from", "run/checkpoints/step-00000004"]

  @Test
  func aBranchWithoutChangesIsTheRunItself() throws {
    let folder = try folder()
    // Stopped and resumed on other ranks, with and without the option.
    for (more, ranks, status): ([String], Int?, Int32) in [
      (middle + ["--hours", "0"], 2, 75), (middle + ["--hours", "0"], nil, 75), ([], 3, 0),
    ] {
      let result = try Program.run(branch("same", more), ranks: ranks, in: folder.path)
      #expect(result.status == status, "\(result.errors)")
    }
    let (same, run) = (
      try InvarianceTests.Outcome(folder, "same", steps: 8),
      try InvarianceTests.Outcome(folder, "run", steps: 8)
    )
    #expect(same.model == run.model && same.optimizer == run.optimizer)
    let log = try folder.text("same/log.txt")
    #expect(
      log.contains(
        "branched from run/checkpoints/step-00000004 after step 4: no setting is changed"), "\(log)"
    )
  }

  /// Rate, batch, slices, arithmetic and exchange may change; log and report say so.
  @Test
  func aBranchHasItsChanges() throws {
    let folder = try folder()
    let changes = [
      "--learning-rate", "0.001", "--batch", "32", "--slices", "8", "--steps", "3",
      "--arithmetic", "bfloat16", "--exchange", "bfloat16",
    ]
    let result = try Program.run(branch("other", middle + changes), in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    for text in [
      "learning_rate is 0.001 instead of 0.005", "train_batch_size is 32 instead of 48",
      "arithmetic is bfloat16 instead of float32", "exchange is bfloat16 instead of float32",
    ] {
      #expect(try folder.text("other/log.txt").contains(text), "\(text)")
    }
    let configuration = try folder.text("other/checkpoints/step-00000007/config.json")
    #expect(configuration.contains("\"earlier_phases\""))
    // The default level of eight slices on one rank.
    #expect(configuration.contains("\"exchange_level\" : 3"))
    let rates = try folder.timelessMetrics("other").compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("learning_rate=") }
        .flatMap { Double($0.dropFirst(14)) }
    }
    #expect(rates.map { ($0 * 1e6).rounded() } == [1000, 667, 333])
    let report = try Program.run(
      ["report", "other", "run", "--output", "page.html"], in: folder.path)
    #expect(report.status == 0, "\(report.errors)")
    let page = try folder.text("page.html")
    #expect(page.contains("branched from") && page.contains("train_batch_size is 32 instead of 48"))
    // The same command resumes it, another one is refused.
    let again = try Program.run(branch("other", middle + changes), in: folder.path)
    #expect(again.status == 0, "\(again.errors)")
    let elsewhere = try Program.run(
      branch("other", ["--branch-from", "run/checkpoints/step-00000008"]), in: folder.path)
    #expect(elsewhere.status == 64)
    #expect(elsewhere.errors.contains("the run exists and was branched from run/checkpoints"))
  }

  /// Weights and moments of the tensors in common continue; the others are new.
  @Test
  func aBranchMayHaveAnotherObjective() throws {
    let folder = try folder()
    let result = try Program.run(branch("mlm", middle + ["--objective", "mlm"]), in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let log = try folder.text("mlm/log.txt")
    #expect(log.contains("objective is mlm instead of electra"), "\(log)")
    #expect(log.contains("without discriminator_predictions.dense.bias"), "\(log)")
    func tensor(_ run: String, _ file: String, _ name: String) throws -> [Float] {
      let file = try SafetensorsFile(
        path: folder.file("\(run)/checkpoints/step-00000004/\(file).safetensors"))
      let entry = try #require(file.entry(name))
      var floats = [Float](repeating: 0, count: entry.shape.reduce(1, *))
      try file.copyFloats(of: name, into: &floats)
      return floats
    }
    let name = "discriminator.encoder.layer.0.attention.self.query.weight"
    for (file, prefix) in [
      ("model", ""), ("optimizer", "first_moment."), ("optimizer", "second_moment."),
    ] {
      #expect(
        try tensor("mlm", file, prefix + name) == tensor("run", file, prefix + name), "\(prefix)")
    }
    // And back: the generator is new, with moments of zero.
    let back = try Program.run(
      branch(
        "back", ["--branch-from", "mlm/checkpoints/step-00000004", "--objective", "electra"]),
      in: folder.path)
    #expect(back.status == 0, "\(back.errors)")
    #expect(try folder.text("back/log.txt").contains("new weights and moments for "))
    let moments = try tensor(
      "back", "optimizer", "second_moment.generator.encoder.layer.0.attention.self.query.weight")
    #expect(moments.allSatisfy { $0 == 0 })
  }

  /// The moments of matrices begin at zero with another optimizer, the others continue.
  @Test
  func aBranchMayHaveAnotherOptimizer() throws {
    let folder = try folder()
    let adam = try optimizer(folder, "run")
    let result = try Program.run(
      branch("muon", middle + ["--optimizer", "muon"]), in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    let log = try folder.text("muon/log.txt")
    #expect(log.contains("new moments for the weight matrices of encoder layers"), "\(log)")
    let muon = try optimizer(folder, "muon")
    let back = try Program.run(
      branch("back", ["--branch-from", "muon/checkpoints/step-00000004", "--optimizer", "adam"]),
      in: folder.path)
    #expect(back.status == 0, "\(back.errors)")
    let adamAgain = try optimizer(folder, "back")
    let matrix = "discriminator.encoder.layer.0.output.dense.weight"
    let first = try muon.floats(of: "first_moment." + matrix)
    #expect(muon.entry("second_moment." + matrix) == nil && first.allSatisfy { $0 == 0 })
    for name in ["first_moment.", "second_moment."] {
      #expect(try adam.floats(of: name + matrix).contains { $0 != 0 })
      #expect(try adamAgain.floats(of: name + matrix).allSatisfy { $0 == 0 })
      let other = name + "discriminator.encoder.layer.0.output.dense.bias"
      #expect(try muon.floats(of: other) == adam.floats(of: other))
    }
  }

  /// The moments of a run after four steps.
  private func optimizer(_ folder: TemporaryFolder, _ run: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: folder.file("\(run)/checkpoints/step-00000004/optimizer.safetensors"))
  }

  /// A branch that was killed before its checkpoint was complete is resumed by the same command.
  @Test
  func anInterruptedBranchIsResumed() throws {
    let folder = try folder()
    let run = try InvarianceTests.Outcome(folder, "run", steps: 8)
    for event in [2, 9] {
      let output = "other\(event)"
      let killed = try Program.run(
        branch(output, middle), environment: ["ELECTRA_KILL_AT": "\(event)"], in: folder.path)
      #expect(killed.status != 0)
      #expect(try folder.names(output).contains("config.json"))
      #expect(try !folder.names(output + "/checkpoints").contains("step-00000004"))
      let again = try Program.run(branch(output), in: folder.path)
      #expect(again.status == 0, "\(again.errors)")
      let other = try InvarianceTests.Outcome(folder, output, steps: 8)
      #expect(other.model == run.model && other.optimizer == run.optimizer)
    }
  }

  /// A start that was killed between `start.json` and `config.json` is repeated; one whose source
  /// is gone meanwhile is explained.
  @Test
  func aBranchWithoutItsConfigurationOrSourceIsExplained() throws {
    let folder = try folder()
    func kill() throws -> Program.Result {
      try Program.run(
        branch("other", middle), environment: ["ELECTRA_KILL_AT": "2"], in: folder.path)
    }
    #expect(try kill().status != 0)
    try FileManager.default.removeItem(atPath: folder.file("other/config.json"))
    try FileManager.default.removeItem(atPath: folder.file("other/checkpoints"))
    let killed = try kill()
    #expect(killed.status != 0 && !killed.errors.contains("not empty"), "\(killed.errors)")
    #expect(try folder.names("other").contains("config.json"))
    try FileManager.default.moveItem(atPath: folder.file("run"), toPath: folder.file("moved"))
    let gone = try Program.run(branch("other"), in: folder.path)
    #expect(gone.status != 0 && gone.errors.contains("choose another --output"), "\(gone.errors)")
  }

  @Test
  func whatCannotBeBranchedIsRefused() throws {
    let folder = try folder()
    for (options, text) in [
      (["--branch-from", "run"], "is the end of its schedule: give --steps and --learning-rate"),
      (middle + ["--generator-width", "1"], "a branch keeps the sizes of its networks"),
      (
        middle + ["--objective", "mlm", "--generator-depth", "1"],
        "no generator, so --generator-depth has no effect"
      ),
      (middle + ["--training", "two-stage"], "two training stages begin with a new run"),
      (middle + ["--init-from", "run"], "omit --init-from, --next-phase, --config and --preset"),
      (middle + ["--preset", "tiny"], "omit --init-from, --next-phase, --config and --preset"),
      (middle + ["--slices", "3"], "--slices 3 is not a power of two"),
    ] {
      let command = [
        "pretrain", "--data", "data", "--output", "refused", "--log-every", "1",
      ]
      let result = try Program.run(command + options, in: folder.path)
      #expect(result.status == 64 && result.errors.contains(text), "\(options): \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/refused/config.json"))
    }
    let missing = try Program.run(
      ["pretrain", "--data", "data", "--output", "refused", "--branch-from", "nowhere"],
      in: folder.path)
    #expect(missing.status == 66 && missing.errors.contains("nowhere"), "\(missing.errors)")
  }
}
