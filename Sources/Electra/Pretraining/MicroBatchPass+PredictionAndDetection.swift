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
    let mark = arena.used
    defer { arena.release(to: mark) }
    let encoder = model.discriminator
    let activations = Network.Activations(encoder, pass.shape, arena: arena)
    let detectionHead = DiscriminatorHead.Activations(
      pass.shape, size: model.sizes.discriminator.hiddenSize, arena: arena)
    let predictionHead = VocabularyHead.Activations(
      predictor.head, masked: masked.positions.count, in: pass.weights.arithmetic, arena: arena)
    let targets = PredictionTargets(positions: masked.positions, tokens: masked.targets)
    let hidden = encoder.forward(
      tokens: tokens, segmentIDs: batch.segmentIDs, activations, pass)
    pass.progress?.willRead(detection.range)
    pass.progress?.willRead(predictor.headRange)
    detection.forward(hidden, detectionHead, pass)
    let predicted = predictor.head.forward(hidden, targets, predictionHead, pass)
    let isMasked = Set(masked.positions)
    let judged = tokens.indices.filter { !isMasked.contains(Int32($0)) }
    let (outcome, logitGradients) = detect(
      tokens, detectionHead.logits, lossPositions: judged, weight: weights?.detection)
    if let weights {
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      detection.backward(
        logitGradients, hidden: hidden, detectionHead, into: gradient, arena: arena, pass)
      pass.progress?.didFinish(detection.range)
      predictor.head.backward(
        targets, weights: Array(repeating: weights.prediction, count: targets.positions.count),
        predictionHead, addingTo: gradient, arena: arena, pass)
      pass.progress?.didFinish(predictor.headRange)
      encoder.backward(
        gradient, tokens: tokens, segmentIDs: batch.segmentIDs, activations, arena: arena, pass)
    }
    return (predicted, outcome)
  }

  /// The number of floats that `predictAndDiscriminate` takes from an arena; 0 for other
  /// objectives.
  static func predictionAndDetectionCapacity(
    _ model: ElectraModel, _ shape: BatchShape, masked: Int
  ) -> Int {
    guard model.task.objective.masksAndReplaces, let predictor = model.predictor,
      let detection = model.discriminatorHead
    else { return 0 }
    let (width, embedding) = (model.sizes.discriminator.hiddenSize, model.sizes.embeddingSize)
    return detection.capacity(model.discriminator, shape)
      + Arena.measure { arena in
        _ = VocabularyHead.Activations(
          predictor.head, masked: masked, in: shape.arithmetic, arena: arena)
        for width in [width, embedding] { _ = arena.tensor(masked, width) }
      }
  }
}
