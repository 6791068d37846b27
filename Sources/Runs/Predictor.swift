import Collectives
import Finetuning
import Layers
import Platform
import Tensors
import Training

/// The outputs of a fine-tuned model for sets of examples, computed by all workers of all ranks. They do
/// not depend on how many there are.
package struct Predictor {
  private let evaluator: Evaluator<FinetuningObjective>
  /// What the model's outputs have to be brought to; nil where they are scores already.
  private let scale: TargetScale?

  /// A model that is being trained. The weights of the last step must have arrived (`waitForWeights`).
  package init(_ evaluator: Evaluator<FinetuningObjective>, scale: TargetScale?) {
    (self.evaluator, self.scale) = (evaluator, scale)
  }

  /// A model by itself. Every rank must call it: rank zero's weights are copied into `weights` on all.
  ///
  /// - Parameters:
  ///   - longest: the tokens of the longest sequence that will come.
  ///   - watchdog: enters each part of the work.
  package init(
    _ model: TaskModel, weights: Storage, longest: Int, world: Communicator, processors: [Int],
    watchdog: Watchdog? = nil
  ) throws {
    let objective = FinetuningObjective(
      model: model, targets: [], layerDecay: 1, microBatchTokens: Self.microBatchTokens,
      longest: longest, seed: 0)
    evaluator = try Evaluator(objective, weights: weights, world: world, processors: processors)
    scale = nil
    if let watchdog { evaluator.watch = { watchdog.enter($0, $1) } }
  }

  /// Tokens that go through a model at once when it is not being trained.
  static let microBatchTokens = 1024

  package func end() { evaluator.end() }

  /// The answers to all examples of `set`. Every rank must call it. Throws `TrainerError.stopped` when
  /// a signal asks to stop, if the program listens to them.
  package func answers(to set: ExampleSet) throws -> Answers {
    set.answers(try outputs(for: set), of: evaluator.objective.model)
  }

  /// The model's outputs for all examples of `set`, in order; scores of a regression in its own unit.
  package func outputs(for set: ExampleSet) throws -> [Float] {
    let outputs = try evaluator.tally(
      sequences: set.examples.count, isAsked: { StopSignals.isRequested },
      source: { _, indices in set.batch(indices, firstSequence: indices.lowerBound) }
    ).outputs
    return scale.map { outputs.map($0.score) } ?? outputs
  }
}
