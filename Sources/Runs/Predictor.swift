import Collectives
import Finetuning
import Layers
import Platform
import Tensors
import Training

/// Computes the outputs of a fine-tuned model for sets of examples, on all workers of all ranks.
///
/// The outputs do not depend on the numbers of workers and ranks.
package struct Predictor {
  private let evaluator: Evaluator<FinetuningObjective>
  /// The scale of a regression that is being trained; nil where outputs are scores already.
  private let scale: TargetScale?

  /// Predicts with a model that is being trained.
  ///
  /// The weights of the last step must have arrived (`waitForWeights`).
  package init(_ evaluator: Evaluator<FinetuningObjective>, scale: TargetScale?) {
    (self.evaluator, self.scale) = (evaluator, scale)
  }

  /// Predicts with a model that is not being trained.
  ///
  /// Every rank must call it: rank zero's weights are copied into `weights` on all. `longest` is
  /// the length of the longest sequence in tokens.
  package init(
    _ model: TaskModel, weights: Storage, arithmetic: Arithmetic, longest: Int,
    world: Communicator, processors: [Int]
  ) throws {
    var objective = FinetuningObjective(
      model: model, targets: [], layerDecay: 1, microBatchTokens: Self.microBatchTokens,
      longest: longest, seed: 0)
    objective.arithmetic = arithmetic
    evaluator = try Evaluator(objective, weights: weights, world: world, processors: processors)
    scale = nil
  }

  /// Lets `watchdog` limit the time of each part of the work.
  func guardTime(with watchdog: Watchdog) {
    evaluator.watch = { watchdog.enter($0, $1) }
    evaluator.onSlice = { watchdog.restart() }
  }

  /// The tokens of a micro-batch of a model that is not being trained.
  static let microBatchTokens = 1024

  /// Ends the threads.
  package func end() { evaluator.end() }

  /// The predictions for all examples of `set`.
  ///
  /// Every rank must call it. Throws `TrainerError.stopped` on all ranks when a signal requested a
  /// stop, if the program handles signals (`StopSignals`).
  package func predictions(for set: ExampleSet) throws -> Predictions {
    set.predictions(try outputs(for: set), of: evaluator.objective.model)
  }

  /// The model's outputs for all examples of `set`, in order.
  ///
  /// The scores of a regression are in the unit of the data. Every rank must call it; throws as
  /// `predictions(for:)`.
  package func outputs(for set: ExampleSet) throws -> [Float] {
    let outputs = try evaluator.tally(
      sequences: set.examples.count, shouldStop: { StopSignals.isRequested },
      source: { _, indices in set.batch(indices, firstSequence: indices.lowerBound) }
    ).outputs
    return scale.map { outputs.map($0.score) } ?? outputs
  }
}
