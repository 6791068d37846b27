import Collectives
import Finetuning
import Layers
import Platform
import Tensors
import Training

/// A fine-tuned model that answers sets of examples, on all lanes of all ranks. The answers do not
/// depend on how many there are.
package struct Answerer {
  private let trainer: Trainer<FinetuningObjective>
  /// What the model's outputs have to be brought to; nil where they are scores already.
  private let scale: TargetScale?

  /// A model that is being trained.
  package init(_ trainer: Trainer<FinetuningObjective>, scale: TargetScale?) {
    (self.trainer, self.scale) = (trainer, scale)
  }

  /// A model by itself; rank zero's `weights` count.
  ///
  /// - Parameters:
  ///   - longest: the tokens of the longest sequence that will come.
  ///   - watchdog: sees to it that answering gets on.
  package init(
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
    scale = nil
    if let watchdog { trainer.watch = { watchdog.enter($0, $1) } }
    trainer.weights.base.update(from: weights.base, count: weights.count)
    try trainer.shareWeights()
  }

  /// Tokens that go through a model at once when it is not being trained.
  static let microBatchTokens = 1024

  package func end() { trainer.end() }

  /// The answers to all examples of `set`. Every rank must call it. Throws `TrainerError.stopped` when
  /// a signal asks to stop, if the program listens to them.
  package func answers(to set: ExampleSet) throws -> Answers {
    set.answers(try numbers(for: set), of: trainer.objective.model)
  }

  /// The model's numbers for all examples of `set`, in order.
  package func numbers(for set: ExampleSet) throws -> [Float] {
    let numbers = try trainer.tally(
      sequences: set.examples.count, isAsked: { StopSignals.isRequested },
      source: { _, places in set.batch(places, firstSequence: places.lowerBound) }
    ).answers
    return scale.map { numbers.map($0.score) } ?? numbers
  }
}
