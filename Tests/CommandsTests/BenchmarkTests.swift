import Foundation
import Platform
import TestSupport
import Testing

/// The benchmarks measure what they report; the speed itself is not tested.
struct BenchmarkTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> [String: Any] {
    let start = now()
    let result = try Program.run(arguments, in: folder.path)
    let duration = now() - start
    #expect(result.status == 0, "\(result.errors)")
    let figures = try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    // The time of a step and of its activities is at most that of the program.
    if let times = figures["milliseconds"] as? [String: Double] {
      let seconds = try #require(figures["seconds"] as? Double)
      #expect(times.values.allSatisfy { $0 >= 0 } && times["GELU"] != nil, "\(times)")
      #expect(seconds + times.values.reduce(0, +) / 1000 < duration)
    }
    // The test samples the peak of the process every few milliseconds, so it can miss the last
    // pages. It includes the peak of later measurements.
    if let peak = figures["peak_memory_bytes"] as? Double {
      #expect(peak <= 1.1 * Double(result.peakMemory))
    }
    return figures
  }

  private func number(_ name: String, _ figures: [String: Any]) throws -> Double {
    try #require(figures[name] as? Double, "\(name)")
  }

  /// The FLOPs that the kernels count equal the estimate of `electra flops`.
  @Test(arguments: [
    ["--preset", "small"], ["--preset", "tiny"], ["--preset", "tiny", "--objective", "electra"],
    ["--preset", "tiny", "--objective", "mlm"],
    ["--preset", "tiny", "--objective", "all-tokens-mlm"],
    [
      "--preset", "tiny", "--objective", "electra", "--training", "adversarial",
      "--generator-width", "0.25",
    ],
    ["--preset", "tiny", "--objective", "electra", "--weight-sharing", "all"],
    ["--preset", "tiny", "--objective", "electra", "--generator", "unigram"],
    ["--preset", "tiny", "--objective", "electra", "--arithmetic", "bfloat16"],
    ["--preset", "tiny", "--objective", "electra", "--optimizer", "muon"],
  ])
  func aStepMakesTheEstimatedProducts(options: [String]) throws {
    let folder = try TemporaryFolder()
    let figures = try run(Self.step + ["--without-peak"] + options, in: folder)
    let counted = try number("operations", figures)
    let expected = try number("expected_operations", figures)
    #expect(counted > 1e8 && abs(counted / expected - 1) < 1e-9)
    #expect(figures["milliseconds"] != nil)
    #expect(
      figures["arithmetic"] as? String == (options.contains("bfloat16") ? "bfloat16" : "float32"))
    let seconds = try number("seconds", figures)
    let rate = try number("tokens_per_second", figures)
    #expect(abs(rate * seconds / (4 * 32) - 1) < 1e-12)
    #expect(figures["share_of_peak"] == nil)
    // Weights, gradient and both moments.
    #expect(try number("peak_memory_bytes", figures) > 4 * number("vector_bytes", figures))
    #expect(try number("rank_tokens", figures) == 4 * 32)
    #expect(try number("sent_bytes", figures) == 0 && number("messages", figures) == 0)
    #expect(try (0...seconds).contains(number("reduction_seconds", figures)))
  }

  private static let step = [
    "benchmark", "step", "--vocabulary-size", "500", "--batch", "4", "--length", "32",
    "--threads", "2", "--rounds", "1", "--json",
  ]

  /// A sequence has [CLS], a token of the text and [SEP].
  @Test(arguments: [("--vocabulary-size", "5"), ("--length", "2")])
  func aStepWithoutTextIsRefused(option: String, value: String) throws {
    let folder = try TemporaryFolder()
    let result = try Program.run(
      ["benchmark", "step", "--preset", "tiny", option, value], in: folder.path)
    #expect(result.status == 64)
    #expect(result.errors.contains("\(option) must be at least"), "\(result.errors)")
  }

  @Test
  func theShareOfThePeakIsThatOfTheProducts() throws {
    let figures = try run(
      Self.step + ["--preset", "tiny", "--objective", "electra"], in: TemporaryFolder())
    let rate = try number("share_of_peak", figures) * number("peak", figures)
    let products = try number("expected_operations", figures) / number("seconds", figures)
    #expect(abs(rate / products - 1) < 1e-9)
  }

  /// One step is one pass over the training file: each sequence occurs once, on whichever rank.
  @Test
  func aFinetuningStepTakesEverySequenceOfItsBatchOnce() throws {
    let folder = try exportedModels()
    let lines = madeText(documents: 4).split(separator: "\n").map(String.init)
    #expect(lines.count == 32)
    try folder.write(lines.joined(separator: "\n") + "\n", "lines.txt")
    try folder.write(
      "text\tlabel\n" + lines.enumerated().map { "\($1)\t\($0 % 2)\n" }.joined(), "own.tsv")
    let ids = try Program.run(
      ["tokenize", "--vocabulary", "vocab.txt", "lines.txt"], in: folder.path)
    let counts = ids.output.split(separator: "\n").map { $0.split(separator: " ").count + 2 }
    for more in [["--threads", "1", "--slices", "1"], ["--threads", "2", "--slices", "8"]] {
      let figures = try run(
        [
          "benchmark", "finetune", "own", "--train", "own.tsv", "--dev", "own.tsv", "--from",
          "discriminator", "--rounds", "2", "--json",
        ] + more, in: folder)
      #expect(figures["tokens"] as? Int == counts.reduce(0, +))
      #expect(figures["padded_tokens"] as? Int == 32 * (counts.max() ?? 0))
      let seconds = try number("seconds", figures)
      #expect(abs(try number("examples_per_second", figures) * seconds / 32 - 1) < 1e-12)
      let tokens = Double(counts.reduce(0, +))
      #expect(abs(try number("tokens_per_second", figures) * seconds / tokens - 1) < 1e-12)
    }
  }

  @Test
  func theTokenizersBenchmarkCountsTokens() throws {
    let folder = try TemporaryFolder()
    try folder.write(madeText(documents: 50), "text.txt")
    let vocabulary = try Program.run(
      ["vocabulary", "text.txt", "--size", "300", "--output", "vocab.txt"], in: folder.path)
    #expect(vocabulary.status == 0)
    let ids = try Program.run(
      ["tokenize", "--vocabulary", "vocab.txt", "text.txt"], in: folder.path)
    let figures = try run(
      [
        "benchmark", "tokenizer", "text.txt", "--vocabulary", "vocab.txt", "--threads", "3",
        "--rounds", "1", "--json",
      ], in: folder)
    #expect(figures["tokens"] as? Int == ids.output.split(whereSeparator: \.isWhitespace).count)
  }
}
