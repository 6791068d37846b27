import Foundation
import Testing

/// Benchmarks do what they say; how fast is nobody's test.
struct BenchmarkTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> [String: Any] {
    let result = try Program.run(arguments, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  /// The products that kernels counted are those that `electra flops` foretells.
  @Test(arguments: [
    ["--preset", "small"], ["--preset", "tiny"], ["--preset", "tiny", "--objective", "mlm"],
    ["--preset", "tiny", "--objective", "all-tokens-mlm"],
    ["--preset", "tiny", "--training", "adversarial", "--generator-width", "0.25"],
    ["--preset", "tiny", "--weight-sharing", "all"],
    ["--preset", "tiny", "--generator", "unigram"],
  ])
  func aStepMakesTheProductsThatWereForetold(options: [String]) throws {
    let folder = try TemporaryFolder()
    let figures = try run(
      [
        "benchmark", "step", "--vocabulary-size", "500", "--batch", "4", "--length", "32",
        "--threads", "2", "--rounds", "1", "--json",
      ] + options, in: folder)
    let counted = try #require(figures["operations"] as? Double)
    let expected = try #require(figures["expected_operations"] as? Double)
    #expect(counted > 1e8 && abs(counted / expected - 1) < 1e-9)
    for name in ["tokens_per_second", "share_of_peak", "peak_memory_bytes"] {
      #expect((figures[name] as? Double).map { $0 > 0 } == true, "\(name)")
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
