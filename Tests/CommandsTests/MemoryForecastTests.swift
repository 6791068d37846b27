import Foundation
import TestSupport
import Testing

/// The memory estimate of `electra flops` compared with the memory of a run.
struct MemoryForecastTests {
  /// The tolerance has three reasons: the estimate assumes the largest micro-batch, it counts 40 MB
  /// for the program and its libraries, and allocators differ between systems.
  private let range = 0.85...1.05

  @Test(arguments: [
    ["--preset", "small", "--slices", "4", "--threads", "1"],
    ["--preset", "small", "--slices", "4", "--threads", "2"],
    ["--preset", "small", "--slices", "8", "--threads", "1", "--recompute"],
    ["--preset", "tiny", "--objective", "electra", "--slices", "4", "--threads", "2"],
    ["--preset", "tiny", "--slices", "4", "--threads", "2"],
    ["--preset", "small", "--slices", "4", "--threads", "2", "--arithmetic", "bfloat16"],
  ])
  func aRunTakesTheEstimatedMemory(options: [String]) throws {
    let folder = try preparedData()
    let size = try folder.text("vocab.txt").split(separator: "\n").count
    let recipe = options + ["--batch", "16", "--length", "32", "--steps", "3"]
    let flops = try Program.run(
      [
        "flops", "--vocabulary-size", "\(size)", "--tokens-per-second", "1", "--json",
      ] + recipe, in: folder.path)
    #expect(flops.status == 0, "\(flops.errors)")
    struct Figures: Decodable { let memory: Int }
    let forecast = try JSONDecoder().decode(Figures.self, from: Data(flops.output.utf8)).memory
    let run = try Program.run(
      ["pretrain", "--data", "data", "--output", "run"] + recipe, in: folder.path)
    #expect(run.status == 0, "\(run.errors)")
    let share = Double(run.peakMemory) / Double(forecast)
    #expect(range.contains(share), "\(run.peakMemory) bytes, \(forecast) estimated")
  }
}
