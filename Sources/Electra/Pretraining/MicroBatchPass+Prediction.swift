import Layers
import Tensors

extension MicroBatchPass {
  /// Masked language modelling with the discriminator's encoder; with a `weight` also its backward
  /// pass.
  ///
  /// - Parameters:
  ///   - tokens: the input: with [MASK] or with samples at the masked positions. (N)
  ///   - weight: the weight of one masked position in the loss; nil for no backward pass.
  /// - Returns: the outcome at each masked position. (K)
  package func predict(_ tokens: [Int32], weight: Float?) -> [VocabularyOutcome] {
    guard let predictor = model.predictor else {
      preconditionFailure("the objective \(model.task.objective.rawValue) predicts no tokens")
    }
    return predict(
      tokens, predictor, pass,
      PredictionTargets(positions: masked.positions, tokens: masked.targets),
      weights: weight.map { equalWeights($0) })
  }

  /// The weight function that gives every predicted position the same weight.
  func equalWeights(_ weight: Float) -> (VocabularyHead.Activations) -> [Float] {
    { Array(repeating: weight, count: $0.sums.columns) }
  }

  /// Masked language modelling: predicts the target tokens at the masked positions.
  ///
  /// The loss is the cross-entropy -log p(target) (Devlin et al. 2019, section 3.1).
  ///
  /// - Parameters:
  ///   - tokens: the input of the model. (N)
  ///   - model: the network and its head.
  ///   - pass: weights, gradients and random numbers.
  ///   - targets: the masked positions and their target tokens. (K)
  ///   - weights: a function, called after the forward pass, that returns the weight of each
  ///     position in the loss (K); nil for no backward pass.
  ///   - inspect: a function called after the forward pass, for tests.
  /// - Returns: the outcome at each masked position. (K)
  package func predict(
    _ tokens: [Int32], _ model: LanguageModel, _ pass: PassContext, _ targets: PredictionTargets,
    weights: ((VocabularyHead.Activations) -> [Float])?,
    inspect: (Network.Activations, VocabularyHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    model.network.run(
      tokens: tokens, segmentIDs: batch.segmentIDs, headRanges: [model.headRange], arena: arena,
      pass
    ) { hidden, activations in
      let head = VocabularyHead.Activations(
        model.head, masked: targets.positions.count, in: pass.weights.arithmetic, arena: arena)
      let outcomes = model.head.forward(
        hidden, targets, head, rule: self.model.task.samplingRule, pass)
      inspect(activations, head)
      guard let weights = weights?(head) else { return (outcomes, nil) }
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      gradient.fill(0)
      model.head.backward(
        targets, weights: weights, head, addingTo: gradient, arena: arena, pass)
      return (outcomes, gradient)
    }
  }
}
