import Collectives
import Finetuning
import Layers
import Tensors
import Training

/// A fine-tuned model that answers sets of examples, on all lanes of all ranks. The answers do not
/// depend on how many there are.
struct Answerer {
  private let trainer: Trainer<FinetuningObjective>

  init(_ trainer: Trainer<FinetuningObjective>) { self.trainer = trainer }

  /// A model by itself; rank zero's `weights` count.
  ///
  /// - Parameters:
  ///   - longest: the tokens of the longest sequence that will come.
  ///   - watchdog: sees to it that answering gets on.
  init(
    _ model: TaskModel, weights: Storage, longest: Int, world: Communicator, processors: [Int],
    watchdog: Watchdog? = nil
  ) throws {
    let objective = FinetuningObjective(
      model: model, targets: [], layerDecay: 1,
      microBatchTokens: Self.microBatchTokens, longest: longest, seed: 0)
    trainer = try Trainer(
      objective: objective,
      settings: TrainerSettings(
        batchSize: 1, sliceCount: 1, steps: 1, warmupSteps: 0, learningRate: 0, weightDecay: 0,
        adam: AdamConstants(), clipNorm: 1),
      world: world, processors: processors, source: { step, _ in Batch(step: step) })
    if let watchdog { trainer.watch = { watchdog.enter($0, $1) } }
    trainer.weights.base.update(from: weights.base, count: weights.count)
    try trainer.shareWeights()
  }

  /// Tokens that go through a model at once when it is not being trained.
  static let microBatchTokens = 1024

  func end() { trainer.end() }

  /// The answers to all examples of `set`. Every rank must call it. Throws `TrainerError.stopped` when
  /// a signal asks to stop, if the program listens to them.
  func answers(to set: ExampleSet) throws -> Answers {
    set.answers(try numbers(for: set), of: trainer.objective.model)
  }

  /// The model's numbers for all examples of `set`, in order.
  func numbers(for set: ExampleSet) throws -> [Float] {
    try trainer.tally(
      sequences: set.examples.count, isAsked: { StopSignals.isRequested },
      source: { _, places in set.batch(places, firstSequence: places.lowerBound) }
    ).answers
  }
}
