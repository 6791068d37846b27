import Collectives
import Electra
import Foundation
import Layers
import TestSupport
import Testing
import Training

/// A line of metrics is the mean over the steps since the last line, on any ranks and after any
/// stop.
@Suite(.serialized)
struct MetricsWindowTests {
  /// Returns the metrics of each window.
  private static func metrics(
    _ world: Communicator, workers: Int, windows: [Range<Int>]
  ) throws -> [[MetricName: Double]] {
    let trainer = try TrainerTests.makeTrainer(world, workers: workers)
    defer { trainer.end() }
    return try windows.map { window in
      for step in window { _ = try trainer.step(step) }
      return try dictionary(trainer.metrics())
    }
  }

  private static func dictionary(_ values: MetricValues) -> [MetricName: Double] {
    Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }
  }

  @Test
  func aWindowIsTheMeanOfItsSteps() throws {
    let world = try Communicator.start()
    let steps = try Self.metrics(world, workers: 2, windows: [0..<1, 1..<2, 2..<3, 3..<4])
    let windows = try Self.metrics(world, workers: 1, windows: [0..<1, 1..<4])
    #expect(windows[0] == steps[0])
    // The masked positions and tokens of each step, which weight the means of steps.
    let objective = TrainerTests.objective()
    let counts = (0..<4).map { step in
      objective.counts(of: TrainerTests.batch(step: step, sequences: 0..<32)).map(Double.init)
    }
    #expect(Set(counts.map { $0[0] }).count > 1, "steps of unequal weight")
    func mean(_ name: MetricName, by weight: (Int) -> Double) -> Double {
      let sum = (1..<4).reduce(0) { $0 + weight($1) * (steps[$1][name] ?? .nan) }
      return sum / (1..<4).reduce(0) { $0 + weight($1) }
    }
    // The sums of a hundred doubles of one sign may differ by their order.
    func expect(_ name: MetricName, _ expected: Double) {
      let value = windows[1][name] ?? .nan
      #expect(abs(value - expected) <= 1e-12 * abs(expected), "\(name): \(value), \(expected)")
    }
    for name in [MetricName.generatorLoss, .generatorAccuracy, .sampledAccuracy] {
      expect(name, mean(name) { counts[$0][0] })
    }
    for name in [MetricName.discriminatorLoss, .discriminatorAccuracy, .replacedFraction] {
      expect(name, mean(name) { counts[$0][1] })
    }
    expect(.gradientNorm, mean(.gradientNorm) { _ in 1 })
    // A mean of areas lies between them; pooled scores of several steps need not.
    let areas = steps[1...].compactMap { $0[.discriminatorAUC] }
    let area = try #require(windows[1][.discriminatorAUC])
    #expect(area > (areas.min() ?? .nan) && area < (areas.max() ?? .nan), "\(area), \(areas)")
    // The metrics are ratios of sums, not means of ratios.
    let fraction = try #require(windows[1][.replacedFraction])
    let entropy = -fraction * log(fraction) - (1 - fraction) * log(1 - fraction)
    expect(.discriminatorSkill, 1 - (windows[1][.discriminatorLoss] ?? .nan) / entropy)
  }

  @Test(arguments: [1, 3])
  func ranksAndWorkersDoNotChangeABit(workers: Int) throws {
    let world = try Communicator.start()
    let windows = [0..<3, 3..<5]
    let reference = try Self.metrics(.alone(), workers: 2, windows: windows)
    #expect(try Self.metrics(world, workers: workers, windows: windows) == reference)
  }

  /// A run is saved in the middle of a window, and resumed with another number of workers.
  ///
  /// A checkpoint of an earlier version has no window: the line then covers the steps since.
  @Test(arguments: [true, false])
  func aCheckpointHoldsTheUnfinishedWindow(isKept: Bool) throws {
    let world = try Communicator.start()
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    let first = try TrainerTests.makeTrainer(world, workers: 2)
    defer { first.end() }
    for step in 0..<2 { _ = try first.step(step) }
    try first.beginSave(CheckpointState(step: 2), into: store, files: [:])
    _ = try first.endedSave(waiting: true)
    let file = store.path(step: 2) + "/metrics-window.json"
    #expect(FileManager.default.fileExists(atPath: file) == (world.rank == 0))
    if !isKept { try? FileManager.default.removeItem(atPath: file) }
    let second = try TrainerTests.makeTrainer(world, workers: 3)
    defer { second.end() }
    try second.load(checkpoint: store.path(step: 2))
    _ = try second.step(2)
    let resumed = Self.dictionary(try second.metrics())
    let whole = try Self.metrics(world, workers: 1, windows: isKept ? [0..<3] : [0..<2, 2..<3])
    #expect(resumed == whole.last)
    // The window is empty, so nothing is saved.
    try second.beginSave(CheckpointState(step: 3), into: store, files: [:])
    _ = try second.endedSave(waiting: true)
    #expect(
      !FileManager.default.fileExists(atPath: store.path(step: 3) + "/metrics-window.json"))
  }
}
