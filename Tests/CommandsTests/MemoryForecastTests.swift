import Foundation
import TestSupport
import Testing

/// What `electra flops` says of a run's memory, against the run.
struct MemoryForecastTests {
  /// The forecast counts the largest micro-batch, and a flat 40 MB for the program with its libraries;
  /// real sequences are shorter, and what an allocator keeps differs from system to system.
  private let range = 0.85...1.05

  @Test(arguments: [
    ["--preset", "small", "--slices", "4", "--threads", "1"],
    ["--preset", "small", "--slices", "4", "--threads", "2"],
    ["--preset", "small", "--slices", "8", "--threads", "1", "--recompute"],
    ["--preset", "tiny", "--slices", "4", "--threads", "2"],
  ])
  func aRunTakesTheMemoryThatWasForetold(options: [String]) throws {
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
    #expect(range.contains(share), "\(run.peakMemory) bytes, \(forecast) foretold")
  }
}
