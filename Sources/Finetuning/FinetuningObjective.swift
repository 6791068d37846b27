import Layers
import Tensors

/// The training objective of fine-tuning: the mean of a task's losses over the whole batch.
///
/// The mean is over sequences, and over tagged words for tagging; with class weights it is the
/// weighted mean (`ClassWeights`). A batch refers to its targets by `Batch.examples`, the indices
/// of training examples.
///
/// The reference takes the sum instead of the mean. The scale of a gradient makes little
/// difference: the reference always clips these sums to a global norm of 1, and Adam is nearly
/// invariant to scale.
package struct FinetuningObjective: TrainingObjective {
  package let model: TaskModel
  package let learningRateFactors: [Float]
  package var arithmetic = Arithmetic.float32
  /// The weight of each class in the loss; empty if all are 1.
  package var classWeights: [Double] = []
  /// The targets of all training examples.
  private let targets: [Target]
  private let microBatchTokens: Int
  private let longest: Int
  private let seed: UInt64

  /// Creates the objective of a training set.
  ///
  /// - Parameters:
  ///   - model: the model to train.
  ///   - targets: the targets of all training examples, indexed by `Batch.examples`.
  ///   - layerDecay: the ratio of a layer's learning rate to the one of the layer above it.
  ///   - microBatchTokens: the largest number of tokens of a micro-batch; a longer sequence is a
  ///     micro-batch by itself.
  ///   - longest: the number of tokens of the longest sequence in any batch.
  ///   - seed: the seed of dropout.
  package init(
    model: TaskModel, targets: [Target], layerDecay: Double, microBatchTokens: Int, longest: Int,
    seed: UInt64
  ) {
    self.model = model
    self.targets = targets
    learningRateFactors = model.learningRateFactors(decay: layerDecay)
    self.microBatchTokens = microBatchTokens
    self.longest = longest
    self.seed = seed
  }

  package var layout: ParameterLayout { model.layout }
  package var gradientOrder: [Range<Int>] { model.gradientOrder }
  package var weightOrder: [Range<Int>] { model.weightOrder }

  /// The number of losses in the slice; with class weights, the number of each class.
  ///
  /// Integers, so that their sums over all slices do not depend on the order.
  package func counts(of slice: Batch) -> [Int] {
    if classWeights.isEmpty { return [slice.examples.reduce(0) { $0 + targets[$1].lossCount }] }
    var counts = [Int](repeating: 0, count: classWeights.count)
    for example in slice.examples { targets[example].forEachClass { counts[$0] += 1 } }
    return counts
  }

  /// The sum of the weights of all losses that `counts` has counted.
  private func totalWeight(_ counts: [Int]) -> Double {
    if classWeights.isEmpty { return Double(counts[0]) }
    return zip(counts, classWeights).reduce(0) { $0 + Double($1.0) * $1.1 }
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    let tokens = min(microBatchTokens, sequences * longest)
    var shape = BatchShape(tokens: tokens, longest: longest)
    shape.arithmetic = arithmetic
    return Arena(capacity: model.capacity(shape))
  }

  package func accumulate(
    _ slice: Batch, totals: [Int], weights: Weights, gradient: Storage, workspace: Arena,
    progress: ParameterProgress
  ) -> Tally {
    // A batch in which no word has a tag has no losses: 0 / 1, not 0 / 0.
    let total = totalWeight(totals)
    let weight = total > 0 ? 1 / Float(total) : 1
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    var loss = 0.0
    for (index, part) in parts.enumerated() {
      // Later micro-batches add to the same gradients: only the last one makes them final.
      let isLast = index == parts.count - 1
      let pass = PassContext(
        batch: part, weights: weights, gradient: gradient, seed: seed,
        progress: ParameterProgress(
          willRead: progress.willRead, didFinish: isLast ? progress.didFinish : { _ in }))
      loss += model.accumulateGradients(
        part, targets: part.examples.map { targets[$0] }, classWeights: classWeights,
        weight: weight, arena: workspace, pass)
    }
    return Tally(sums: [loss, totalWeight(counts(of: slice))])
  }

  /// Returns the model's outputs as `Tally.outputs`, without a loss.
  package func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    Tally(
      outputs: slice.microBatches(tokenLimit: microBatchTokens).flatMap {
        model.outputs($0, weights: weights, arena: workspace)
      })
  }

  package func metrics(of tally: Tally) -> MetricValues {
    if tally.sums.isEmpty { return [] }
    return [(.loss, tally.sums[1] > 0 ? tally.sums[0] / tally.sums[1] : 0)]
  }
}

extension Target {
  /// The number of losses of a sequence with this target.
  fileprivate var lossCount: Int {
    switch self {
    case .none: 0
    case .label, .labels, .score, .span: 1
    case .tags(let tags): tags.count { $0 >= 0 }
    }
  }
}
