import Foundation
import TestSupport
import Testing

/// `--arithmetic` of every verb that multiplies matrices.
@Suite(.serialized)
struct ArithmeticTests {
  private static let pretrain = [
    "pretrain", "--data", "data", "--preset", "tiny", "--objective", "electra", "--batch", "8",
    "--steps", "5", "--output", "rounded",
  ]
  private static let bfloat16 = ["--arithmetic", "bfloat16"]

  private func run(
    _ folder: TemporaryFolder, _ arguments: [String], status: Int32 = 0, says: String = ""
  ) throws -> String {
    let result = try Program.run(arguments, input: "bakoli mune rasi.\n", in: folder.path)
    #expect(result.status == status, "\(arguments): \(result.errors)")
    let isReported = says.isEmpty || result.errors.contains(says)
    #expect(isReported, "\(arguments): \(result.errors)")
    return result.output
  }

  /// The data and run of `finetuningFiles`, and a run `rounded` in bfloat16.
  private func folder() throws -> TemporaryFolder {
    try Fixtures.copy(of: "a run in bfloat16") {
      let folder = try finetuningFiles()
      try runAll([Self.pretrain + Self.bfloat16], in: folder)
      return folder
    }
  }

  @Test
  func anArithmeticThatDoesNotExistIsRefused() throws {
    let folder = try TemporaryFolder()
    _ = try run(
      folder, ["flops", "--arithmetic", "float16"], status: 64,
      says: "'bfloat16' or 'bfloat16-amx'")
  }

  @Test
  func theArithmeticIsFixedAtTheFirstStart() throws {
    let folder = try preparedData(documents: 100)
    let stopped = Self.pretrain + ["--hours", "0"]
    _ = try run(folder, stopped + Self.bfloat16, status: 75)
    let key = "\"arithmetic\" : \"bfloat16\""
    for path in ["rounded", "rounded/checkpoints/step-00000001"] {
      #expect(try folder.text(path + "/config.json").contains(key), "\(path)")
    }
    #expect(try folder.text("rounded/log.txt").contains("arithmetic: bfloat16, "))
    _ = try run(
      folder, stopped + ["--arithmetic", "float32"], status: 64,
      says: "--arithmetic is bfloat16 there and float32 here")
    // Without the option, a resume keeps the arithmetic.
    _ = try run(folder, stopped, status: 75)
    _ = try run(folder, Self.pretrain)
    try folder.write(
      #"{"num_train_steps": 2, "train_batch_size": 8}"#, "next.json")
    _ = try run(folder, Self.pretrain + ["--next-phase", "next.json"])
    #expect(try folder.text("rounded/checkpoints/step-00000007/config.json").contains(key))
  }

  /// The configuration of an earlier version has no arithmetic.
  @Test
  func anOldRunIsInFloat32() throws {
    let folder = try shortRun()
    let text = try folder.text("run/config.json")
    let key = "\"arithmetic\" : \"float32\","
    #expect(text.contains(key), "\(text)")
    try folder.write(text.replacingOccurrences(of: key, with: ""), "run/config.json")
    let resume = ["pretrain", "--data", "data", "--output", "run"]
    _ = try run(
      folder, resume + Self.bfloat16, status: 64,
      says: "--arithmetic is float32 there and bfloat16 here")
    _ = try run(folder, resume + ["--arithmetic", "float32"])
  }

  @Test
  func evaluateAndDetectUseTheArithmeticOfTheRun() throws {
    let folder = try folder()
    for verb in [
      ["evaluate", "rounded", "--data", "data", "--json"],
      ["detect", "--from", "rounded", "--json"],
    ] {
      let usual = try run(folder, verb)
      #expect(try run(folder, verb + Self.bfloat16) == usual)
      #expect(try run(folder, verb + ["--arithmetic", "float32"]) != usual)
    }
  }

  @Test
  func ranksWithOtherArithmeticAreRefusedByName() throws {
    let folder = try folder()
    let result = try Program.runTwoRanks(
      ["evaluate", "rounded", "--data", "data"], second: #""$0" "$@" --arithmetic float32"#,
      in: folder.path)
    #expect(result.status == 78, "\(result.errors)")
    #expect(result.errors.contains("another option --arithmetic than rank 0: float32, not none"))
  }

  /// A fine-tuning does not take the arithmetic of its encoder.
  @Test
  func aFinetuningHasItsOwnArithmetic() throws {
    let folder = try folder()
    let finetune = [
      "finetune", "own", "--train", "train.tsv", "--dev", "dev.tsv", "--from", "rounded",
      "--epochs", "0.5",
    ]
    _ = try run(folder, finetune + ["--output", "plain"])
    _ = try run(
      folder, finetune + ["--output", "tuned", "--hours", "0"] + Self.bfloat16, status: 75)
    // Without the option, a resume keeps the arithmetic.
    _ = try run(folder, finetune + ["--output", "tuned"])
    for (name, arithmetic) in [("plain", "float32"), ("tuned", "bfloat16")] {
      for file in ["finetuning.json", "results.json", "seed-1/model/task.json"] {
        let text = try folder.text("\(name)/\(file)").filter { $0 != " " }
        #expect(text.contains("\"arithmetic\":\"\(arithmetic)\""), "\(name)/\(file): \(text)")
      }
    }
    let predict = ["predict", "--from", "tuned", "--json"]
    let usual = try run(folder, predict)
    #expect(try run(folder, predict + Self.bfloat16) == usual)
    #expect(try run(folder, predict + ["--arithmetic", "float32"]) != usual)
  }

  @Test
  func flopsCountsThePackedWeights() throws {
    struct Figures: Decodable {
      let memory: Int
      let activations: Int
      let packed_weights: Int
      let product_operations: Double
    }
    let folder = try TemporaryFolder()
    func figures(_ arithmetic: String) throws -> Figures {
      let text = try run(
        folder,
        [
          "flops", "--preset", "base", "--tokens-per-second", "1", "--json", "--arithmetic",
          arithmetic,
        ])
      return try JSONDecoder().decode(Figures.self, from: Data(text.utf8))
    }
    let (exact, rounded) = (try figures("float32"), try figures("bfloat16"))
    // float32 packs at most the orientations that tiled products read.
    #expect(exact.packed_weights < rounded.packed_weights * 3 / 2)
    #expect(rounded.packed_weights > 400_000_000)
    #expect(Double(rounded.activations) < 0.75 * Double(exact.activations))
    #expect(exact.product_operations == rounded.product_operations)
    let text = try run(folder, ["flops", "--preset", "base"] + Self.bfloat16)
    #expect(text.contains(" packed weights + "), "\(text)")
  }
}
