import Tensors

/// A model that turns slices of a batch into tallies, without dropout and without gradients.
///
/// Inference needs no more than this: `Evaluator` runs it on all workers of all ranks.
package protocol Evaluable: Sendable {
  /// The activations of one worker thread, allocated once and used for every slice.
  associatedtype Workspace

  /// What a worker needs for slices of at most so many sequences.
  func makeWorkspace(sequences: Int) -> Workspace

  /// The tally of a slice without dropout and without a gradient.
  func evaluate(_ slice: Batch, weights: Storage, workspace: Workspace) -> Tally
}

/// What a model is trained for: it turns slices of a batch into gradients and losses.
///
/// The trainer knows nothing of the model beyond this protocol, and the model nothing of lanes,
/// ranks and optimizers. Pre-training is an objective, a GLUE head is another.
package protocol TrainingObjective: Evaluable {
  /// The parameters, in the order of the flat vector.
  var layout: ParameterLayout { get }

  /// Ranges that cover the flat vector, in the order in which gradients become final, and in the
  /// order in which weights are first read.
  var gradientOrder: [Range<Int>] { get }
  var weightOrder: [Range<Int>] { get }

  /// Ranges of whole parameters that step `step` leaves as they are, moments and all.
  func frozen(at step: Int) -> [Range<Int>]

  /// What happens to the weights before step `step`, the same on every rank; nil for nothing.
  func preparation(for step: Int) -> ((Storage) -> Void)?

  /// The share of the learning rate that each parameter gets, in the layout's order.
  var rateFactors: [Float] { get }

  /// The integer weights of each of its losses in `slice` (masked positions, tokens), found without
  /// running the network. The trainer sums them over all slices of all ranks.
  func counts(of slice: Batch) -> [Int]

  /// Adds the gradient of the slice's part of the loss to `gradient`, already divided by `totals`,
  /// the counts of the whole global batch.
  ///
  /// `progress` is told of each range of the flat vector before its weights are read for the first
  /// time, and of each whose gradient this slice will not touch again; either way the ranges cover the
  /// whole vector, the latter once.
  /// - Returns: the slice's loss sums and scores, not divided by anything.
  func accumulate(
    _ slice: Batch, totals: [Int], weights: Storage, gradient: Storage, workspace: Workspace,
    progress: ParameterProgress
  ) -> Tally

  /// Named figures for the log, in their order, from the sum of all tallies.
  func metrics(of tally: Tally) -> MetricValues
}

extension TrainingObjective {
  /// Every step trains everything.
  package func frozen(at step: Int) -> [Range<Int>] { [] }
  package func preparation(for step: Int) -> ((Storage) -> Void)? { nil }

  /// All of it, unless the objective says otherwise.
  package var rateFactors: [Float] { Array(repeating: 1, count: layout.parameters.count) }
}

/// What a slice has to say of itself: sums in Double and the scores of binary decisions.
/// Tallies of slices are added in slice order, so that figures do not depend on ranks.
package struct Tally: Sendable, Equatable {
  /// Sums, whose meaning is the objective's.
  package var sums: [Double]
  /// The logits of true positives' and negatives' class, for exact areas under the curve.
  package var positiveScores: [Float]
  package var negativeScores: [Float]
  /// Counts of scores instead of the scores themselves, where many batches were added up.
  package var scoreCounts: ScoreCounts?
  /// What the model answers, sequence by sequence; its meaning is the objective's.
  package var answers: [Float]

  package init(
    sums: [Double] = [], positiveScores: [Float] = [], negativeScores: [Float] = [],
    answers: [Float] = []
  ) {
    self.sums = sums
    self.positiveScores = positiveScores
    self.negativeScores = negativeScores
    self.answers = answers
  }

  /// Adds the tally of the slice that comes next.
  package mutating func add(_ next: Tally) {
    if sums.isEmpty {
      sums = next.sums
    } else {
      precondition(sums.count == next.sums.count, "tallies of different objectives")
      for i in sums.indices { sums[i] += next.sums[i] }
    }
    positiveScores += next.positiveScores
    negativeScores += next.negativeScores
    answers += next.answers
  }
}
