import Collectives
import Finetuning
import Foundation
import Layers
import Models
import Platform
import Tensors
import Training

/// A fine-tuning with one or more seeds, or the folds of a cross-validation: trains each, then
/// predicts.
///
/// Every rank must make the same calls.
package struct FinetuningSeeds {
  private let plan: FinetuningPlan
  private let context: RunContext
  private let settings: RunSettings
  /// The number of seeds or folds to train.
  private let count: Int

  /// Makes the fine-tuning with `count` consecutive seeds, of which the recipe's is the first, or
  /// with the folds of `plan`, which all have the recipe's seed.
  ///
  /// The configuration of `plan` must be that of the folder (`FinetuningConfiguration.settled`).
  package init(
    _ plan: FinetuningPlan, count: Int, context: RunContext, settings: RunSettings
  ) {
    (self.plan, self.context, self.settings) = (plan, context, settings)
    self.count = plan.folds?.count ?? count
  }

  /// The training with this index, from 0.
  private func member(_ index: Int) -> (seed: UInt64, fold: Int?) {
    let seed = plan.recipe.seed
    return plan.folds == nil ? (seed &+ UInt64(index), nil) : (seed, index + 1)
  }

  /// Trains every seed or fold that is not done; returns nil when a stop was requested.
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
    for index in 0... {
      let (seed, fold) = member(index)
      let folder = "\(output)/\(FinetuningResults.folder(seed: seed, fold: fold))"
      if let result = try existingResult(folder) {
        done.append(result)
        continue
      }
      if done.count >= count { break }
      guard let result = try train(seed, fold, folder) else { return nil }
      done.append(result)
    }
    return try write(done)
  }

  /// What is measured, in the order of the values of a seed.
  private var measures: [FinetuningResults.Measure] {
    plan.measured.flatMap { set in
      set.metrics.map { FinetuningResults.Measure(split: set.split.name, metric: $0) }
    }
  }

  /// Writes `results.json` and returns its content.
  private func write(_ done: [FinetuningResults.SeedResult]) throws -> FinetuningResults {
    let results = FinetuningResults(
      task: plan.task.name, head: plan.model.style, arithmetic: plan.recipe.arithmetic,
      measures: measures, seeds: done)
    try context.world.agree {
      guard context.isFirst else { return }
      try AtomicFile.write(
        results.json().utf8, to: context.folder + "/results.json", replacing: true)
      if results.isCrossValidation { results.foldLines.forEach(context.log.write) }
    }
    return results
  }

  private func train(
    _ seed: UInt64, _ fold: Int?, _ folder: String
  ) throws -> FinetuningResults.SeedResult? {
    try context.world.agree { if context.isFirst { try RunFolder(path: folder).make() } }
    let run = try FinetuningRun(
      fold.map(plan.fold) ?? plan, seed: seed,
      context: context.part(
        folder: folder, prefix: fold.map { "fold \($0): " } ?? "seed \(seed): "),
      settings: settings)
    defer { run.end() }
    return try run.train()
  }

  /// The result of a finished seed, the same on all ranks; nil for a seed that is not finished.
  private func existingResult(_ folder: String) throws -> FinetuningResults.SeedResult? {
    let path = folder + "/" + FinetuningResults.seedFile
    return try context.world.broadcast { () throws -> FinetuningResults.SeedResult? in
      guard let data = FileManager.default.contents(atPath: path) else { return nil }
      let result = try decodeJSON(FinetuningResults.SeedResult.self, data, from: path)
      guard result.values.count == measures.count else {
        throw TextError.unusable(
          path: path,
          reason: "it has \(result.values.count.of("value")), and \(measures.count) are measured; "
            + "remove it to train this part again")
      }
      return result
    }
  }

  /// Writes the predictions for dev and test data to `predictions/`.
  ///
  /// They are those of the best seed's model. In a cross-validation each example of the training
  /// file is predicted by the fold that holds it out, and test data by the best fold. Does nothing
  /// where an earlier start has written them: `answered.txt` has the seed or fold and the
  /// fingerprints of the data.
  ///
  /// - Parameters:
  ///   - results: of all seeds or folds.
  ///   - processors: the processor of each thread, -1 for a thread that is not pinned.
  /// - Throws: `TrainerError.stopped` when a stop was requested; an error of the files.
  package func writePredictions(of results: FinetuningResults, processors: [Int]) throws {
    guard let best = results.best else { return }
    let (world, folder) = (context.world, context.folder + "/predictions")
    let model = best.fold.map { "fold \($0)" } ?? "seed \(best.seed)"
    let answered = [model] + (plan.dev + plan.test).map(\.fingerprint)
    let note = Data((answered.joined(separator: "\n") + "\n").utf8)
    let isDone = FileManager.default.contents(atPath: folder + "/answered.txt") == note
    if try world.anyRank(context.isFirst && isDone) { return }
    try world.agree { if context.isFirst { try RunFolder(path: folder).make() } }
    let heldOut = try predictHeldOut(processors)
    let sets = heldOut == nil ? plan.dev + plan.test : plan.test
    let predictions = try predict(sets, best.folder, processors)
    try world.agree {
      guard context.isFirst else { return }
      var names: [String] = []
      for (set, predictions) in [heldOut].compactMap(\.self) + zip(sets, predictions) {
        names += try set.write(predictions, to: folder, replacing: true)
      }
      try AtomicFile.write(note, to: folder + "/answered.txt", replacing: true)
      context.log.write(
        "predictions of \(heldOut == nil ? model : "all folds") in \(folder): "
          + names.joined(separator: ", "))
    }
  }

  /// The predictions of each fold for the examples that it holds out; nil without folds.
  private func predictHeldOut(_ processors: [Int]) throws -> (ExampleSet, Predictions)? {
    guard let folds = plan.folds else { return nil }
    let parts = try (1...folds.count).map { number in
      let folder = FinetuningResults.folder(seed: plan.recipe.seed, fold: number)
      return try predict(plan.fold(number).dev, folder, processors)[0]
    }
    return (plan.dev[0], Predictions(parts, assignment: folds.assignment))
  }

  /// The predictions of the model in the folder of a seed or fold for each set.
  private func predict(
    _ sets: [ExampleSet], _ folder: String, _ processors: [Int]
  ) throws -> [Predictions] {
    if sets.isEmpty { return [] }
    let weights = try context.world.agree {
      context.isFirst
        ? try FinetunedFolder("\(context.folder)/\(folder)").weights()
        : Storage(count: plan.model.layout.count)
    }
    let predictor = try Predictor(
      plan.model, weights: weights, arithmetic: plan.recipe.arithmetic, longest: plan.longest,
      world: context.world, processors: processors)
    defer { predictor.end() }
    predictor.guardTime(with: context.watchdog)
    return try sets.map { try predictor.predictions(for: $0) }
  }
}
