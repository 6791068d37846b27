import Collectives
import Corpus
import Electra
import Foundation
import Layers
import Models
import Platform
import Tokenization
import Training

/// A pre-training run on this rank, from the newest checkpoint to the last step.
package final class PretrainingRun {
  let configuration: PretrainingConfiguration
  /// The model of `--init-from`, on rank zero; nil for new weights.
  private let initial: InitialModel?
  let data: ShardSet
  let options: Options
  /// The pairs of `--evaluate-pairs`; nil for none.
  let pairs: EncodedPairs?
  let run: ResumableRun<PretrainingObjective>
  /// Checks the run's metrics; nil except on rank zero.
  let health: RunHealth?

  var context: RunContext { run.context }

  /// Every rank must call it.
  ///
  /// - Parameters:
  ///   - configuration: of the run, equal on every rank.
  ///   - initial: the model of `--init-from`, on rank zero; nil for new weights.
  ///   - data: the training and held-out examples.
  ///   - context: of this run.
  ///   - options: the settings of this start.
  /// - Throws: an error of the data, or of communication.
  package init(
    _ configuration: PretrainingConfiguration, initial: InitialModel?, data: ShardSet,
    context: RunContext, options: Options
  ) throws {
    (self.configuration, self.initial, self.data) = (configuration, initial, data)
    self.options = options
    let world = context.world
    let kernels = try KernelSelection(configuration.arithmetic, world)
    health = try world.agree {
      context.isFirst
        ? try RunHealth(
          configuration, data, folder: context.folder, log: context.log, metrics: context.metrics)
        : nil
    }
    pairs = try world.agree {
      try options.pairs.map {
        try EncodedPairs(
          $0, tokenizer: data.tokenizer, longest: configuration.recipe.length)
      }
    }
    var settings = options.run
    settings.milestones = configuration.milestones
    run = try ResumableRun(
      Self.trainer(configuration, data, context, recomputes: options.recomputes), context, settings)
    // A later phase may have tensors that the checkpoint before it lacks.
    if configuration.firstStep > 0 {
      run.trainer.objective.layout.initialize(
        run.trainer.weights, seed: configuration.recipe.seed)
    }
    try describe(
      RunCost(
        configuration, ranks: world.size, workers: context.layout.processors.count,
        keep: settings.keep, recomputes: options.recomputes), kernels)
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

  /// Logs model, data, environment and cost of this run, and a note for each resource that is
  /// short.
  private func describe(_ cost: RunCost, _ kernels: KernelSelection) throws {
    let report = try EnvironmentReport(context.layout, cost, world: context.world)
    guard context.isFirst else { return }
    let (log, folder) = (context.log, context.folder)
    let start = try? RunStart(folder: folder)
    log.write("electra pretrain: \(cost.modelSummary(preset: start?.preset))")
    if let branch = start?.branch { log.write(branch.summary) }
    if let phase = configuration.phaseInWords, start?.branch == nil {
      log.write("phase \(phase.position): \(phase.changes)")
    }
    log.write("data: \(cost.dataSummary(examples: data.trainCount, heldOut: data.heldOutCount))")
    log.write(report.summary)
    ([kernels.summary, exchangeSummary].compactMap(\.self) + kernels.warnings).forEach(log.write)
    if options.run.isVerbose { log.write(report.details) }
    log.write(
      "estimate: \(cost.needs.memory.bytes) per rank, \(cost.needs.checkpoint.bytes) per checkpoint"
    )
    let disk = cost.diskShortage(folder: folder, existing: run.store.steps().count)
    for warning in report.warnings + [disk, pairs?.warning].compactMap(\.self) {
      log.write("note: \(warning)")
    }
  }

  /// What the exchange rounds and whether hosts add first, as a line for the log; nil for neither.
  private var exchangeSummary: String? {
    let perHost = run.trainer.partition.ranksPerHost
    let level = configuration.roundingLevel.map { 1 << $0 } ?? .max
    let parts = [
      level < configuration.recipe.slices
        ? "sums of \(level.of("slice")) or more are rounded to bfloat16" : nil,
      perHost > 1 ? "the \(perHost) ranks of each host add their gradients first" : nil,
    ].compactMap(\.self)
    return parts.isEmpty ? nil : "exchange: " + parts.joined(separator: "; ")
  }

  /// Ends the threads, once a save that is in progress has ended.
  package func end() { run.end() }

  /// Trains to the last step, or until a stop is requested.
  ///
  /// Every rank must call it.
  package func train() throws -> RunEnding {
    let ending = try run.train(self)
    if case .finished = ending { health?.conclude(run.state) }
    return ending
  }
}

extension PretrainingRun: TrainingJob {
  /// Initializes the weights, or copies those of another model.
  ///
  /// Weights of another model are saved before the first step, so that resuming does not need that
  /// model.
  package func makeFirstWeights() throws -> Bool {
    let (trainer, recipe) = (run.trainer, configuration.recipe)
    trainer.objective.layout.initialize(trainer.weights, seed: recipe.seed)
    try context.world.agree {
      guard let initial else { return }
      for note in try initial.load(into: trainer.weights, trainer.objective.model) {
        context.log.write("--init-from: \(note)")
      }
      context.log.write("new schedule: \(recipe.schedule)")
    }
    return initial != nil
  }

  package func willTrain(from state: CheckpointState) { health?.begin(step: state.step) }

  package func checkpointFiles() throws -> [String: Data] {
    var files = try data.tokenizerFiles()
    files["config.json"] = try configuration.jsonDocument()
    return files
  }

  package func didLog(_ line: MetricsLine) { health?.check(line) }

  package func didDiverge(_ divergence: Divergence) { health?.note(divergence, data.vocabulary) }

  package var stopsForHealth: Bool { options.stopsWhenUnhealthy && health?.isFatal == true }
}
