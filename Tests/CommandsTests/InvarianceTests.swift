import Electra
import Foundation
import Layers
import TestSupport
import Testing

/// The bytes of a run do not depend on ranks and threads, nor on where it was stopped and resumed.
///
/// The tests run the whole program with odd widths, unequal lengths, more slices than workers,
/// several micro-batches per slice, and active gradient clipping.
@Suite(.serialized)
struct InvarianceTests {
  static let steps = 6
  static let command = [
    "pretrain", "--data", "data", "--config", "odd.json", "--log-every", "1",
    "--evaluate-every", "3", "--evaluate-examples", "40",
  ]

  /// A folder with data and the configuration `odd.json`.
  static func folder(length: Int = 32) throws -> TemporaryFolder {
    let folder = try preparedData(length: length)
    func sizes(_ width: Int, heads: Int) -> EncoderSizes {
      EncoderSizes(
        hiddenSize: width, layerCount: 2, headCount: heads, intermediateSize: 3 * width + 1)
    }
    var configuration = Preset.tiny.configuration(vocabularySize: 300)
    configuration.model = ElectraSizes(
      vocabularySize: 300, embeddingSize: 21, positionCount: 32, generator: sizes(9, heads: 3),
      discriminator: sizes(35, heads: 5))
    configuration.recipe.length = length
    configuration.recipe.batchSize = 48
    configuration.recipe.slices = 16
    configuration.recipe.microBatchTokens = 50
    configuration.recipe.steps = steps
    configuration.recipe.warmupSteps = 0
    configuration.recipe.learningRate = 0.01
    try folder.write(
      String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self), "odd.json")
    return folder
  }

  /// The files that must be equal: both files of the last checkpoint, and the metrics without
  /// times.
  ///
  /// A run without one of the files has no outcome, so that two runs without it are not equal.
  struct Outcome: Equatable {
    let model: Data
    let optimizer: Data
    let metrics: [String]

    init(_ folder: TemporaryFolder, _ run: String, steps: Int = InvarianceTests.steps) throws {
      let digits = String(steps)
      let checkpoint =
        "\(folder.path)/\(run)/checkpoints/step-"
        + String(repeating: "0", count: 8 - digits.count) + digits
      func contents(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: checkpoint + "/" + name))
      }
      model = try contents("model.safetensors")
      optimizer = try contents("optimizer.safetensors")
      metrics = try folder.timelessMetrics(run)
    }
  }

  /// How gradients travel, with a level that two ranks are above and eight below.
  static let exchange = ["--exchange", "bfloat16", "--exchange-level", "2"]
  static let bfloat16 = ["--arithmetic", "bfloat16"]
  private static let bfloat16AMX = ["--arithmetic", "bfloat16-amx"]

  /// Ranks and workers per rank.
  static let shapes = [
    (1, 2), (2, 1), (3, 1), (4, 1), (1, 3), (5, 1), (8, 1), (3, 2), (7, 3), (16, 1),
  ]
  /// Enough where only one of arithmetic and exchange differs from the default.
  static let fewShapes = [(2, 1), (8, 1), (3, 2)]

  @Test(arguments: [
    ([], shapes), (bfloat16, fewShapes), (bfloat16AMX, fewShapes), (exchange, fewShapes),
    (bfloat16 + exchange, shapes),
  ])
  func ranksAndWorkersDoNotChangeAByte(options: [String], shapes: [(Int, Int)]) throws {
    let folder = try Self.folder()
    func run(_ name: String, ranks: Int?, workers: Int, _ more: [String] = []) throws -> Outcome {
      let result = try Program.run(
        Self.command + ["--output", name, "--threads", "\(workers)"] + options + more,
        ranks: ranks, in: folder.path)
      #expect(result.status == 0, "\(name): \(result.errors)")
      return try Outcome(folder, name)
    }
    let reference = try run("alone", ranks: nil, workers: 1)
    #expect(reference.metrics.count == Self.steps + 2)
    let norms = reference.metrics.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("gradient_norm=") }
        .flatMap { Double($0.dropFirst(14)) }
    }
    #expect(norms.count == Self.steps && norms.allSatisfy { $0 > 1 }, "the clip is active")
    for (ranks, workers) in shapes {
      let outcome = try run("\(ranks)x\(workers)", ranks: ranks, workers: workers)
      #expect(outcome == reference, "\(ranks) ranks with \(workers) workers")
    }
    #expect(try run("recomputed", ranks: 2, workers: 2, ["--recompute"]) == reference)
    // Negative control: another reduction tree changes the last bits.
    let other = try run("other", ranks: nil, workers: 1, ["--slices", "8"])
    #expect(other.model != reference.model && other.optimizer != reference.optimizer)
    // Further controls: other arithmetic, another exchange and another level change them too.
    for change in controls(of: options) {
      let control = try run("control \(change[1])", ranks: nil, workers: 1, change)
      #expect(control.model != reference.model && control.metrics != reference.metrics, "\(change)")
    }
  }

  /// Options that undo some of `options`.
  private func controls(of options: [String]) -> [[String]] {
    (options.contains("--arithmetic") ? [["--arithmetic", "float32"]] : [])
      + (options == Self.bfloat16AMX ? [Self.bfloat16] : [])
      + (options.contains("--exchange")
        ? [["--exchange-level", "4"], ["--exchange-level", "3"]] : [])
  }

  /// Other kernels of OpenBLAS change the bits of a run in float32, and not those in bfloat16.
  @Test(arguments: ["float32", "bfloat16", "bfloat16-amx"])
  func onlyFloat32DependsOnOpenBLAS(arithmetic: String) throws {
    let folder = try Self.folder()
    let outcomes = try ["Haswell", "Sandybridge"].map { kernels in
      let result = try Program.run(
        Self.command + ["--output", kernels, "--threads", "1", "--arithmetic", arithmetic],
        environment: ["OPENBLAS_CORETYPE": kernels], in: folder.path)
      #expect(result.status == 0, "\(kernels): \(result.errors)")
      return try Outcome(folder, kernels)
    }
    #expect((outcomes[0] == outcomes[1]) == (arithmetic != "float32"))
  }

  /// `evaluate` and `detect` in bfloat16 compute no float32 product either.
  @Test
  func evaluationInBFloat16DoesNotDependOnOpenBLAS() throws {
    let folder = try Self.folder()
    try runAll([Self.command + Self.bfloat16 + ["--output", "run"]], in: folder)
    for verb in [
      ["evaluate", "run", "--data", "data", "--json"], ["detect", "--from", "run", "--json"],
    ] {
      let outputs = try ["Haswell", "Sandybridge"].map { kernels in
        let result = try Program.run(
          verb, input: "bakoli mune rasi.\n", environment: ["OPENBLAS_CORETYPE": kernels],
          in: folder.path)
        #expect(result.status == 0, "\(kernels): \(result.errors)")
        return result.output
      }
      #expect(!outputs[0].isEmpty && outputs[0] == outputs[1], "\(outputs)")
    }
  }

  /// Stopped after every step and resumed on another number of ranks and workers.
  @Test(arguments: [("2", []), ("4", []), ("4", bfloat16 + exchange), ("4", exchange)])
  func stopsAndOtherShapesDoNotChangeAByte(logEvery: String, options: [String]) throws {
    let folder = try Self.folder()
    // A stop between two lines of metrics adds no line, and the next line averages the steps before
    // and after the stop.
    let command = Self.command + ["--log-every", logEvery] + options
    let whole = try Program.run(command + ["--output", "whole"], in: folder.path)
    #expect(whole.status == 0, "\(whole.errors)")
    let shapes: [(ranks: Int?, workers: Int)] = [
      (4, 1), (nil, 3), (2, 2), (3, 1), (nil, 1), (5, 1),
    ]
    var statuses: [Int32] = []
    for shape in shapes {
      statuses.append(
        try Program.run(
          command + ["--output", "parts", "--hours", "0", "--threads", "\(shape.workers)"],
          ranks: shape.ranks, in: folder.path
        ).status)
    }
    // mpirun replaces some exit statuses by 1, but not 75.
    #expect(statuses == [75, 75, 75, 75, 75, 0])
    #expect(try Outcome(folder, "parts") == Outcome(folder, "whole"))
  }

  /// The same holds for every other objective.
  @Test(arguments: [
    ["--objective", "mlm"], ["--objective", "electra-15"], ["--objective", "replace-mlm"],
    ["--objective", "all-tokens-mlm"], ["--generator", "unigram", "--disallow-correct"],
    ["--generator", "uniform"], ["--weight-sharing", "none", "--temperature", "2"],
    ["--weight-sharing", "all", "--mask-with-replacement"], ["--training", "two-stage"],
    ["--training", "two-stage-fresh", "--objective", "electra-15"], ["--training", "adversarial"],
    bfloat16 + exchange + ["--objective", "mlm"],
    ["--objective", "mlm-rtd", "--discriminator-ramp", "0.2:0.6"],
    bfloat16 + exchange + ["--objective", "mlm-rtd", "--generator", "transformer"],
    bfloat16 + exchange + ["--objective", "all-tokens-mlm"],
    bfloat16 + exchange + ["--weight-sharing", "all"],
    bfloat16 + exchange + ["--weight-sharing", "disentangled", "--objective", "replace-mlm"],
    bfloat16 + exchange + ["--training", "two-stage", "--weight-sharing", "disentangled"],
    bfloat16 + exchange + ["--training", "adversarial"], ["--optimizer", "muon"],
    ["--optimizer", "muon", "--training", "two-stage"],
    bfloat16 + exchange + ["--optimizer", "muon", "--weight-sharing", "all"],
  ])
  func otherTasksKeepTheirBytesToo(options: [String]) throws {
    let folder = try Self.folder()
    let command = Self.command + options
    func run(_ name: String, ranks: Int?, workers: Int, _ more: [String] = []) throws -> Outcome {
      let result = try Program.run(
        command + ["--output", name, "--threads", "\(workers)"] + more, ranks: ranks,
        in: folder.path)
      #expect(result.status == 0, "\(name): \(result.errors)")
      return try Outcome(folder, name)
    }
    let reference = try run("whole", ranks: nil, workers: 1)
    #expect(!reference.metrics.isEmpty)
    #expect(try run("many", ranks: 3, workers: 2, ["--recompute"]) == reference)
    let stopped = try Program.run(
      command + ["--output", "parts", "--hours", "0"], ranks: 2, in: folder.path)
    #expect(stopped.status == 75, "\(stopped.errors)")
    #expect(try run("parts", ranks: nil, workers: 3) == reference)
  }

  @Test
  func aMicroBatchLargerThanASliceTakesNoMoreMemory() throws {
    let folder = try Self.folder()
    let result = try Program.run(
      Self.command + ["--output", "run", "--micro-batch", "1000000000000", "--hours", "0"],
      in: folder.path)
    #expect(result.status == 75, "\(result.errors)")
  }

  @Test
  func nothingThatMattersMayChangeInsideARun() throws {
    let folder = try Self.folder()
    let first = try Program.run(
      Self.command + ["--output", "run", "--hours", "0"], in: folder.path)
    #expect(first.status == 75)
    for (option, value) in [
      ("--seed", "7"), ("--batch", "32"), ("--slices", "8"), ("--micro-batch", "64"),
      ("--length", "16"), ("--steps", "9"), ("--learning-rate", "0.5"), ("--warmup", "3"),
      ("--objective", "mlm"), ("--generator", "unigram"), ("--generator-width", "0.5"),
      ("--generator-depth", "0.5"), ("--weight-sharing", "none"), ("--training", "adversarial"),
      ("--mask-fraction", "0.2"), ("--temperature", "2"), ("--discriminator-weight", "20"),
      ("--exchange", "bfloat16"), ("--exchange-level", "1"), ("--optimizer", "muon"),
    ] {
      let result = try Program.run(
        Self.command + ["--output", "run", option, value], in: folder.path)
      #expect(result.status == 64, "\(option)")
      #expect(result.errors.contains(option + " is "), "\(result.errors)")
    }
    let other = try Program.run(
      [
        "prepare", "text.txt", "--vocabulary", "vocab.txt", "--output", "other", "--length", "32",
        "--held-out", "0.2",
      ], in: folder.path)
    #expect(other.status == 0)
    let refused = try Program.run(
      Self.command + ["--output", "run", "--data", "other"], in: folder.path)
    #expect(refused.status == 64)
    #expect(refused.errors.contains("other does not contain the data that the run trains on"))
  }
}
