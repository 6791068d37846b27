import Tensors

/// What a model is trained for: it turns slices of a batch into gradients and losses.
///
/// The trainer knows the model only through this protocol, and the model knows nothing of workers,
/// ranks and optimizers. Pre-training is one objective, each fine-tuning head is another.
package protocol TrainingObjective: Evaluable {
  /// The parameters, in the order of the flat vector.
  var layout: ParameterLayout { get }

  /// Ranges that cover the flat vector, in the order in which their gradients become final.
  var gradientOrder: [Range<Int>] { get }
  /// Ranges that cover the flat vector, in the order in which a step first reads their weights.
  var weightOrder: [Range<Int>] { get }

  /// The ranges of whole parameters that `step` does not train: neither weights nor moments change.
  func frozen(at step: Int) -> [Range<Int>]

  /// A change of the weights before `step`, equal on every rank; nil if there is none.
  func prepareWeights(before step: Int) -> ((Storage) -> Void)?

  /// The factor of the learning rate for each parameter, in the order of the layout.
  var learningRateFactors: [Float] { get }

  /// The integer denominators of the losses of `slice` (masked positions, tokens).
  ///
  /// They are found without running the network. The trainer sums them over all slices of all
  /// ranks.
  func counts(of slice: Batch) -> [Int]

  /// Adds the gradient of the slice's part of the loss to `gradient`.
  ///
  /// The gradient is divided by `totals`, the counts of the whole global batch, so that the
  /// gradients of all slices sum to the gradient of the mean loss. It must be a function of the
  /// slice, the totals and the weights alone: the slice may run on any worker of any rank.
  ///
  /// `progress` receives each range of the flat vector before its first read, and each range whose
  /// gradient this slice will not touch again; see `ParameterProgress`.
  /// - Returns: the slice's loss sums and scores, not divided by anything.
  func accumulate(
    _ slice: Batch, totals: [Int], weights: Weights, gradient: Storage, workspace: Workspace,
    progress: ParameterProgress
  ) -> Tally

  /// The metrics of the log, in their order, from the sum of all tallies.
  func metrics(of tally: Tally) -> MetricValues
}

extension TrainingObjective {
  /// By default every step trains everything.
  package func frozen(at step: Int) -> [Range<Int>] { [] }
  /// By default nothing changes the weights between steps.
  package func prepareWeights(before step: Int) -> ((Storage) -> Void)? { nil }

  /// By default every parameter has the full learning rate.
  package var learningRateFactors: [Float] { Array(repeating: 1, count: layout.parameters.count) }
}
