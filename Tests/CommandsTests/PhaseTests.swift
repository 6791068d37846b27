import Foundation
import TestSupport
import Testing

/// Runs with several phases: short sequences first, then long ones.
struct PhaseTests {
  private static let second = """
    {"data": "long", "max_seq_length": 32, "train_batch_size": 32, "slices": 8, "num_train_steps": 4,
     "learning_rate": 0.005}
    """

  /// A folder with a finished first phase on short sequences, and data of long sequences.
  private func folder() throws -> TemporaryFolder {
    let folder = try InvarianceTests.folder(length: 16)
    let long = try Program.run(
      [
        "prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "long", "--length", "32",
        "--held-out", "0.1",
      ], in: folder.path)
    #expect(long.status == 0, "\(long.errors)")
    try folder.write(Self.second, "second.json")
    return folder
  }

  private func pretrain(_ run: String, _ more: [String]) -> [String] {
    InvarianceTests.command + ["--output", run] + more
  }

  /// The second phase has another number of slices, and the level of the exchange stays.
  @Test(arguments: [[], InvarianceTests.bfloat16 + InvarianceTests.exchange])
  func aSecondPhaseFollowsAndResumesExactly(options: [String]) throws {
    let folder = try folder()
    func pretrain(_ run: String, _ more: [String]) -> [String] {
      self.pretrain(run, options + more)
    }
    for run in ["whole", "parts"] {
      let first = try Program.run(pretrain(run, []), in: folder.path)
      #expect(first.status == 0, "\(first.errors)")
    }
    let whole = try Program.run(
      pretrain("whole", ["--next-phase", "second.json"]), in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    // The same command resumes the phase on any number of workers.
    for (ranks, workers) in [(2, 1), (1, 3), (3, 1), (1, 1)] {
      let part = try Program.run(
        pretrain(
          "parts", ["--next-phase", "second.json", "--hours", "0", "--threads", "\(workers)"]),
        ranks: ranks, in: folder.path)
      #expect([0, 75].contains(part.status), "\(part.errors)")
    }
    let outcome = try InvarianceTests.Outcome(folder, "whole", steps: 10)
    #expect(try InvarianceTests.Outcome(folder, "parts", steps: 10) == outcome)

    // The schedule restarts: the warm-up of a tenth of 4 steps has no step.
    let rates = outcome.metrics.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("learning_rate=") }
        .flatMap { Double($0.dropFirst(14)) }
    }
    #expect(rates.suffix(4).map { ($0 * 1e5).rounded() } == [500, 375, 250, 125])
    // The phase is recorded, and the last checkpoint of the first phase is kept permanently.
    let configuration = try folder.text("whole/config.json")
    #expect(configuration.contains("earlier_phases"))
    let checkpoints = try FileManager.default.contentsOfDirectory(
      atPath: folder.path + "/whole/checkpoints")
    #expect(checkpoints.contains("step-00000006"))
    // Without --next-phase, the run resumes only with the data of its current phase.
    let old = try Program.run(pretrain("whole", []), in: folder.path)
    #expect(old.status == 64 && old.errors.contains("does not contain the data"), "\(old.errors)")
  }

  /// A phase of another objective gives the bytes of a branch that changes it at the same step, with
  /// Muon for some parameters and Adam for the others.
  @Test
  func aPhaseMayHaveAnotherObjective() throws {
    let folder = try InvarianceTests.folder(length: 16)
    try folder.write(
      #"{"num_train_steps": 4, "objective": "electra", "learning_rate": 0.005}"#, "second.json")
    let branch = [
      "--branch-from", "whole", "--objective", "electra", "--steps", "4", "--warmup", "0",
      "--learning-rate", "0.005", "--log-every", "1",
    ]
    let mlm = ["--objective", "mlm", "--optimizer", "muon"]
    let next = mlm + ["--next-phase", "second.json"]
    for (command, ranks, status) in [
      (pretrain("whole", mlm), nil, 0), (pretrain("parts", mlm), nil, 0),
      (["pretrain", "--data", "data", "--output", "branch"] + branch, nil, 0),
      (pretrain("whole", next), nil, 0), (pretrain("parts", next + ["--hours", "0"]), 2, 75),
      (pretrain("parts", next + ["--threads", "2"]), nil, 0),
      (["report", "whole", "--output", "page.html"], nil, 0),
    ] as [([String], Int?, Int32)] {
      let result = try Program.run(command, ranks: ranks, in: folder.path)
      try #require(result.status == status, "\(command): \(result.errors)")
    }
    let outcome = try InvarianceTests.Outcome(folder, "whole", steps: 10)
    #expect(try InvarianceTests.Outcome(folder, "parts", steps: 10) == outcome)
    let branched = try InvarianceTests.Outcome(folder, "branch", steps: 10)
    #expect(branched.model == outcome.model && branched.optimizer == outcome.optimizer)
    let log = try folder.text("whole/log.txt")
    #expect(
      log.contains("phase 2, from step 6: ") && log.contains("objective is electra instead of mlm"))
    #expect(
      log.contains("the phase begins with new weights and moments for generator."), "\(log)")
    #expect(log.contains(", without discriminator_lm_head.bias"), "\(log)")
    #expect(try folder.text("page.html").contains("objective is electra instead of mlm"))
  }

  @Test
  func aPhaseThatCannotFollowIsRefused() throws {
    let folder = try folder()
    let none = try Program.run(pretrain("run", ["--next-phase", "second.json"]), in: folder.path)
    #expect(none.status == 64 && none.errors.contains("there is no run"), "\(none.errors)")
    let begun = try Program.run(pretrain("run", ["--hours", "0"]), in: folder.path)
    #expect(begun.status == 75, "\(begun.errors)")
    let early = try Program.run(pretrain("run", ["--next-phase", "second.json"]), in: folder.path)
    #expect(early.status == 64 && early.errors.contains("1 of 6 steps"), "\(early.errors)")
    for (text, sentence) in [
      (#"{"num_train_steps": 4, "lenght": 7}"#, "unknown key lenght"),
      (#"{"max_seq_length": 32}"#, "num_train_steps is missing"),
      (#"{"num_train_steps": "many"}"#, "num_train_steps"),
    ] {
      try folder.write(text, "bad.json")
      let bad = try Program.run(pretrain("run", ["--next-phase", "bad.json"]), in: folder.path)
      #expect([64, 65].contains(bad.status) && bad.errors.contains(sentence), "\(bad.errors)")
    }
    // Two-stage training has no next phase: its discriminator would restart.
    let staged = ["--training", "two-stage-fresh"]
    let whole = try Program.run(pretrain("staged", staged), in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let next = try Program.run(
      pretrain("staged", staged + ["--next-phase", "second.json"]), in: folder.path)
    #expect(next.status == 64 && next.errors.contains("two training stages"), "\(next.errors)")
    let missing = try Program.run(pretrain("run", ["--next-phase", "no.json"]), in: folder.path)
    #expect(missing.status == 64 && missing.errors.contains("no.json"), "\(missing.errors)")
  }
}
