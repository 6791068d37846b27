import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Tensors
import Training

/// A fine-tuning with one or more seeds: trains each, then predicts with the best.
///
/// Every rank must make the same calls.
package struct FinetuningSeeds {
  private let plan: FinetuningPlan
  private let context: RunContext
  private let settings: RunSettings
  /// The number of seeds to train with.
  private let count: Int

  /// Makes the fine-tuning with `count` consecutive seeds, of which the recipe's is the first.
  ///
  /// The configuration of `plan` must be that of the folder (`FinetuningConfiguration.settled`).
  package init(
    _ plan: FinetuningPlan, count: Int, context: RunContext, settings: RunSettings
  ) {
    (self.plan, self.count, self.context, self.settings) = (plan, count, context, settings)
  }

  /// Trains with every seed that is not done; returns nil when a stop was requested.
  ///
  /// Finished seeds of an earlier start that asked for more seeds stay in the results.
  package func train() throws -> FinetuningResults? {
    let (world, output) = (context.world, context.folder)
    let environment = try EnvironmentReport.summary(context.layout, world: world)
    let kernels = try KernelSelection(plan.recipe.arithmetic, world)
    if context.isFirst {
      ([environment, kernels.summary].compactMap(\.self) + kernels.warnings)
        .forEach(context.log.write)
    }
    var done: [FinetuningResults.SeedResult] = []
    for seed in plan.recipe.seed... {
      let folder = "\(output)/\(FinetuningResults.folder(seed: seed, fold: nil))"
      if let result = try existingResult(folder) {
        done.append(result)
        continue
      }
      if done.count >= count { break }
      guard let result = try train(seed, folder) else { return nil }
      done.append(result)
    }
    let measures = plan.measured.flatMap { set in
      set.metrics.map { FinetuningResults.Measure(split: set.split.name, metric: $0) }
    }
    let results = FinetuningResults(
      task: plan.task.name, head: plan.model.style, arithmetic: plan.recipe.arithmetic,
      measures: measures, seeds: done)
    try world.agree {
      guard world.rank == 0 else { return }
      try AtomicFile.write(results.json().utf8, to: output + "/results.json", replacing: true)
    }
    return results
  }

  private func train(_ seed: UInt64, _ folder: String) throws -> FinetuningResults.SeedResult? {
    try context.world.agree { if context.isFirst { try RunFolder(path: folder).make() } }
    let run = try FinetuningRun(
      plan, seed: seed, context: context.part(folder: folder, prefix: "seed \(seed): "),
      settings: settings)
    defer { run.end() }
    return try run.train()
  }

  /// The result of a finished seed, the same on all ranks; nil for a seed that is not finished.
  private func existingResult(_ folder: String) throws -> FinetuningResults.SeedResult? {
    let path = folder + "/" + FinetuningResults.seedFile
    let found = context.isFirst ? FileManager.default.contents(atPath: path) : nil
    let bytes = try context.world.broadcast(Array(found ?? Data()))
    if bytes.isEmpty { return nil }
    return try decodeJSON(FinetuningResults.SeedResult.self, Data(bytes), from: path)
  }

  /// Writes the predictions of the best seed's model for dev and test data to `predictions/`.
  ///
  /// Does nothing where an earlier start has written them: `answered.txt` has the seed and the
  /// fingerprints of the data.
  ///
  /// - Parameters:
  ///   - results: of all seeds.
  ///   - processors: the processor of each thread, -1 for a thread that is not pinned.
  /// - Throws: `TrainerError.stopped` when a stop was requested; an error of the files.
  package func answer(_ results: FinetuningResults, processors: [Int]) throws {
    let (world, folder) = (context.world, context.folder + "/predictions")
    let sets = plan.dev + plan.test
    guard let best = results.best else { return }
    let answered = ["seed \(best.seed)"] + sets.map(\.fingerprint)
    let note = Data((answered.joined(separator: "\n") + "\n").utf8)
    let isDone = FileManager.default.contents(atPath: folder + "/answered.txt") == note
    if try world.sum([world.rank == 0 && isDone ? 1 : 0])[0] > 0 { return }
    let weights = try world.agree {
      guard world.rank == 0 else { return Storage(count: plan.model.layout.count) }
      try RunFolder(path: folder).make()
      return try FinetunedFolder(context.folder).weights()
    }
    let predictor = try Predictor(
      plan.model, weights: weights, arithmetic: plan.recipe.arithmetic, longest: plan.longest,
      world: world, processors: processors)
    defer { predictor.end() }
    predictor.guardTime(with: context.watchdog)
    var names: [String] = []
    for set in sets {
      let answers = try predictor.answers(to: set)
      try world.agree {
        if world.rank == 0 { names += try set.write(answers, to: folder, replacing: true) }
      }
    }
    try world.agree {
      guard world.rank == 0 else { return }
      try AtomicFile.write(note, to: folder + "/answered.txt", replacing: true)
      context.log.write(
        "predictions of seed \(best.seed) in \(folder): \(names.joined(separator: ", "))")
    }
  }
}
