import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tokenization
import Training

/// A pre-training run on this rank: from the newest checkpoint to the last step.
package final class PretrainingRun {
  let configuration: PretrainingConfiguration
  /// The model that a new run begins with, on rank zero; nil for new weights.
  private let initial: InitialModel?
  let data: ShardSet
  let options: Options
  let run: ResumableRun<PretrainingObjective>
  /// On rank zero.
  let health: RunHealth?

  var context: RunContext { run.context }

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - configuration: the run's, the same on every rank.
  ///   - initial: the model that a new run begins with, on rank zero; nil for new weights.
  ///   - data: what the run trains on.
  ///   - context: of this run.
  ///   - options: what this start may choose.
  /// - Throws: an error of the data, or of communication.
  package init(
    _ configuration: PretrainingConfiguration, initial: InitialModel?, data: ShardSet,
    context: RunContext, options: Options
  ) throws {
    (self.configuration, self.initial, self.data) = (configuration, initial, data)
    self.options = options
    let world = context.world
    health = try world.agree {
      world.rank == 0
        ? try RunHealth(
          configuration, data, folder: context.folder, log: context.log, metrics: context.metrics)
        : nil
    }
    var settings = options.run
    settings.milestones = configuration.milestones
    run = try ResumableRun(
      Self.trainer(configuration, data, context, recomputes: options.recomputes), context, settings)
    try describe(
      RunCost(
        configuration, ranks: world.size, lanes: context.layout.processors.count,
        keep: settings.keep, recomputes: options.recomputes))
  }

  private static func trainer(
    _ configuration: PretrainingConfiguration, _ data: ShardSet, _ context: RunContext,
    recomputes: Bool
  ) throws -> Trainer<PretrainingObjective> {
    let model = configuration.makeModel()
    var objective = try context.world.agree {
      try configuration.objective(model: model, data: data)
    }
    objective.recomputes = recomputes
    let recipe = configuration.recipe
    let (firstStep, firstSample) = (configuration.firstStep, configuration.firstSample)
    return try Trainer(
      objective: objective, settings: configuration.trainerSettings, world: context.world,
      processors: context.layout.processors,
      source: { step, sequences in
        try data.batch(
          step: step, sequences: sequences,
          firstSample: firstSample + (step - firstStep) * recipe.batchSize, seed: recipe.seed)
      })
  }

  /// Logs what this run is, where it runs, and which resources are short.
  private func describe(_ cost: RunCost) throws {
    let report = try EnvironmentReport(context.layout, cost, world: context.world)
    guard context.isFirst else { return }
    let (log, folder) = (context.log, context.folder)
    log.write(cost.summary(examples: data.trainCount))
    log.write(report.summary)
    let disk = cost.diskShortage(folder: folder, existing: run.store.steps().count)
    for warning in report.warnings + [disk].compactMap(\.self) { log.write("note: \(warning)") }
  }

  /// Ends the threads, and a save that an error interrupted.
  package func end() { run.end() }

  /// Trains to the last step, or until asked to stop.
  ///
  /// Every rank must call it.
  package func train() throws -> RunEnding {
    let ending = try run.train(self)
    if case .finished = ending { health?.conclude(run.state) }
    return ending
  }
}

extension PretrainingRun: TrainingJob {
  /// Weights of another model are saved before the first step, so that resuming does not need it.
  package func makeFirstWeights() throws -> Bool {
    let (trainer, recipe) = (run.trainer, configuration.recipe)
    trainer.objective.layout.initialize(trainer.weights, seed: recipe.seed)
    try context.world.agree {
      guard let initial else { return }
      for note in try initial.load(into: trainer.weights, trainer.objective.model) {
        context.log.write("--init-from: \(note)")
      }
      context.log.write("the schedule is new: \(recipe.schedule)")
    }
    return initial != nil
  }

  package func willTrain(from state: CheckpointState) { health?.begin(step: state.step) }

  package func checkpointFiles() throws -> [String: Data] {
    [
      "config.json": try configuration.jsonDocument(),
      "vocab.txt": Data(data.vocabulary.fileBytes),
      "tokenizer_config.json": try JSONEncoder().encode(data.description.normalization),
    ]
  }

  package func didLog(_ line: MetricsLine) { health?.judge(line) }

  package func didDiverge(_ divergence: Divergence) { health?.note(divergence, data.vocabulary) }

  package var stopsForHealth: Bool { options.stopsWhenUnhealthy && health?.isFatal == true }
}
