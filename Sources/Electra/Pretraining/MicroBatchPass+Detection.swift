import Layers
import Tensors

extension MicroBatchPass {
  /// Runs the discriminator on `tokens`; with a `weight` also its backward pass.
  ///
  /// The loss is the sigmoid cross-entropy of "this token was replaced", over all tokens (ELECTRA,
  /// section 2) or the masked ones (ELECTRA 15 %, section 3.4).
  ///
  /// - Parameters:
  ///   - tokens: the batch with samples at the masked positions. (N)
  ///   - weight: the weight of one token in the loss; nil for no backward pass.
  ///   - onlyMasked: whether the loss covers the masked positions only.
  ///   - inspect: a function called after the forward pass, for tests.
  /// - Returns: the loss and the logits. (N)
  package func discriminate(
    _ tokens: [Int32], weight: Float?, onlyMasked: Bool = false,
    inspect: (Network.Activations) -> Void = { _ in }
  ) -> DiscriminatorOutcome {
    guard let detection = model.discriminatorHead else {
      preconditionFailure("the objective \(model.task.objective.rawValue) detects no replacements")
    }
    let lossPositions = onlyMasked ? masked.positions.map { Int($0) } : Array(tokens.indices)
    return model.discriminator.run(
      tokens: tokens, segmentIDs: batch.segmentIDs, headRanges: [detection.range], arena: arena,
      pass
    ) { hidden, activations in
      let head = DiscriminatorHead.Activations(pass.shape, size: hidden.columns, arena: arena)
      detection.forward(hidden, head, pass)
      inspect(activations)
      let (outcome, gradients) = detect(
        tokens, head.logits, lossPositions: lossPositions, weight: weight)
      guard weight != nil else { return (outcome, nil) }
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      detection.backward(
        gradients, hidden: hidden, head, into: gradient, arena: arena, pass)
      return (outcome, gradient)
    }
  }

  /// The loss of replaced token detection and the gradient of its logits.
  ///
  /// - Parameters:
  ///   - tokens: the input of the encoder. (N)
  ///   - logits: the head's output. (1, N)
  ///   - lossPositions: the tokens that are judged; one that occurs twice counts twice.
  ///   - weight: the weight of one token in the loss; nil for a gradient of zero.
  /// - Returns: the outcome, and the gradient in the arena. (1, N)
  func detect(
    _ tokens: [Int32], _ logits: Tensor, lossPositions: [Int], weight: Float?
  ) -> (outcome: DiscriminatorOutcome, gradients: Tensor) {
    let gradients = arena.tensor(1, tokens.count)
    gradients.fill(0)
    var sum = 0.0
    for t in lossPositions {
      let (loss, derivative) = sigmoidCrossEntropy(
        logit: logits.base[t], label: tokens[t] != batch.tokens[t])
      sum += loss
      gradients.base[t] += derivative * (weight ?? 0)
    }
    let outcome = DiscriminatorOutcome(
      loss: sum, logits: Array(UnsafeBufferPointer(start: logits.base, count: tokens.count)),
      lossPositions: lossPositions)
    return (outcome, gradients)
  }
}

/// The output of the discriminator for a micro-batch.
package struct DiscriminatorOutcome: Sendable {
  /// The sum of the sigmoid cross-entropies at `lossPositions`, in nats.
  package let loss: Double
  /// The logits of having been replaced. (N)
  package let logits: [Float]
  /// The indices of the tokens whose losses are summed.
  let lossPositions: [Int]
}

extension DiscriminatorOutcome {
  /// The outcome of logits at all `tokens`, whose originals are given. (N)
  init(logits: [Float], of tokens: [Int32], originals: [Int32]) {
    let loss = tokens.indices.reduce(0.0) {
      $0 + sigmoidCrossEntropy(logit: logits[$1], label: tokens[$1] != originals[$1]).loss
    }
    self.init(loss: loss, logits: logits, lossPositions: Array(tokens.indices))
  }
}
