import Layers
import Tensors

/// Fine-tuning as the trainer sees it: the mean of a task's losses over the whole batch, each sequence
/// known by its place among the training examples. The mean is over sequences; for tagging, over tags.
///
/// The reference adds the losses of a batch up instead; before a clip of the global norm to 1, which is
/// then always active, and Adam, that makes little difference.
package struct FinetuningObjective: TrainingObjective {
  package let model: TaskModel
  package let rateFactors: [Float]
  /// The targets of all training examples.
  private let targets: [Target]
  private let microBatchTokens: Int
  private let longest: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - targets: of all training examples; the batches' `examples` are places among them.
  ///   - layerDecay: what each layer's learning rate is to that of the one above it.
  ///   - microBatchTokens: the tokens of a micro-batch; a longer sequence is one by itself.
  ///   - longest: the longest sequence that will come.
  package init(
    model: TaskModel, targets: [Target], layerDecay: Double, microBatchTokens: Int, longest: Int,
    seed: UInt64
  ) {
    self.model = model
    self.targets = targets
    rateFactors = model.rateFactors(decay: layerDecay)
    self.microBatchTokens = microBatchTokens
    self.longest = longest
    self.seed = seed
  }

  package var layout: ParameterLayout { model.layout }
  package var gradientOrder: [Range<Int>] { model.gradientOrder }
  package var weightOrder: [Range<Int>] { model.weightOrder }

  /// The losses that the slice's sequences have.
  package func counts(of slice: Batch) -> [Int] {
    [slice.examples.reduce(0) { $0 + targets[$1].lossCount }]
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    let tokens = min(microBatchTokens, sequences * longest)
    return Arena(capacity: model.capacity(BatchShape(tokens: tokens, longest: longest)))
  }

  package func accumulate(
    _ slice: Batch, totals: [Int], weights: Storage, gradient: Storage, workspace: Arena,
    progress: ParameterProgress
  ) -> Tally {
    let weight = 1 / Float(max(1, totals[0]))
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    var loss = 0.0
    for (index, part) in parts.enumerated() {
      let isLast = index == parts.count - 1
      let pass = PassContext(
        batch: part, weights: weights, gradient: gradient, seed: seed,
        progress: ParameterProgress(
          willRead: progress.willRead, didFinish: isLast ? progress.didFinish : { _ in }))
      loss += model.learn(
        part, targets: part.examples.map { targets[$0] }, weight: weight, arena: workspace, pass)
    }
    return Tally(sums: [loss, Double(counts(of: slice)[0])])
  }

  /// The answers, without a loss.
  package func evaluate(_ slice: Batch, weights: Storage, workspace: Arena) -> Tally {
    Tally(
      outputs: slice.microBatches(tokenLimit: microBatchTokens).flatMap {
        model.answers($0, weights: weights, arena: workspace)
      })
  }

  package func metrics(of tally: Tally) -> MetricValues {
    tally.sums.isEmpty ? [] : [(.loss, tally.sums[0] / max(1, tally.sums[1]))]
  }
}

extension Target {
  /// How many losses it has a part in.
  fileprivate var lossCount: Int {
    switch self {
    case .none: 0
    case .label, .score, .span: 1
    case .tags(let tags): tags.count { $0 >= 0 }
    }
  }
}
