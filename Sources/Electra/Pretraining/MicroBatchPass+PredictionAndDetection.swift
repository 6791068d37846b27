import Layers
import Tensors

// Masked language modelling and replaced token detection in one pass of the discriminator's encoder
// (objective mlm-rtd). The input has [MASK] at the masked positions M and samples at the replaced
// positions R; the two are disjoint.
//
//     loss = mean over M of -log p(x_t) + lambda * mean over tokens outside M of BCE
//
// Masked positions are not judged, because [MASK] itself tells that they differ. Both heads read
// the same hidden states, so their gradients add before one backward pass of the encoder.

extension MicroBatchPass {
  /// Predicts the tokens at masked positions and judges all others; with `weights` also runs the
  /// backward pass.
  ///
  /// - Parameters:
  ///   - tokens: the batch with [MASK] at masked positions and samples at replaced ones. (N)
  ///   - weights: the weights of one masked position and of one judged token in the loss; nil for
  ///     no backward pass.
  /// - Returns: the outcome at each masked position (K), and the detection of the other tokens.
  func predictAndDiscriminate(
    _ tokens: [Int32], weights: (prediction: Float, detection: Float)?
  ) -> (predicted: [VocabularyOutcome], detection: DiscriminatorOutcome) {
    guard let detection = model.discriminatorHead, let predictor = model.predictor else {
      preconditionFailure("the objective \(model.task.objective.rawValue) has one head")
    }
    let targets = PredictionTargets(positions: masked.positions, tokens: masked.targets)
    let isMasked = Set(masked.positions)
    let judged = tokens.indices.filter { !isMasked.contains(Int32($0)) }
    return model.discriminator.run(
      tokens: tokens, segmentIDs: batch.segmentIDs,
      headRanges: [detection.range, predictor.headRange], arena: arena, pass
    ) { hidden, _ in
      let detectionHead = DiscriminatorHead.Activations(
        pass.shape, size: hidden.columns, arena: arena)
      let predictionHead = VocabularyHead.Activations(
        predictor.head, masked: masked.positions.count, in: pass.weights.arithmetic, arena: arena)
      detection.forward(hidden, detectionHead, pass)
      let predicted = predictor.head.forward(hidden, targets, predictionHead, pass)
      let (outcome, logitGradients) = detect(
        tokens, detectionHead.logits, lossPositions: judged, weight: weights?.detection)
      guard let weight = weights?.prediction else { return ((predicted, outcome), nil) }
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      detection.backward(
        logitGradients, hidden: hidden, detectionHead, into: gradient, arena: arena, pass)
      predictor.head.backward(
        targets, weights: Array(repeating: weight, count: targets.positions.count),
        predictionHead, addingTo: gradient, arena: arena, pass)
      return ((predicted, outcome), gradient)
    }
  }
}
