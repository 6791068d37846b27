import Layers
import Tensors

extension MicroBatchPass {
  /// The discriminator on `tokens` (N), the batch with samples written in: the logit of each (N).
  ///
  /// - Parameters:
  ///   - weight: the weight of one token in the loss; nil for no backward pass.
  ///   - onlyDrawn: whether the loss is that of the drawn positions alone.
  ///   - inspect: called after the forward pass.
  package func discriminate(
    _ tokens: [Int32], weight: Float?, onlyDrawn: Bool = false,
    inspect: (Network.Activations) -> Void = { _ in }
  ) -> DiscriminatorOutcome {
    guard let detection = model.discriminatorHead else {
      preconditionFailure("the objective \(model.task.objective.rawValue) has no detecting head")
    }
    let mark = arena.used
    defer { arena.release(to: mark) }
    let activations = Network.Activations(model.discriminator, pass.shape, arena: arena)
    let head = DiscriminatorHead.Activations(
      pass.shape, size: model.sizes.discriminator.hiddenSize, arena: arena)
    let hidden = model.discriminator.forward(
      tokens: tokens, types: batch.types, activations, pass)
    pass.progress?.needs(detection.range)
    detection.forward(hidden, head, pass)
    inspect(activations)
    let gradients = arena.tensor(1, tokens.count)
    gradients.fill(0)
    let judged = onlyDrawn ? masked.positions.map { Int($0) } : Array(tokens.indices)
    var loss = 0.0
    for t in judged {
      let (own, derivative) = sigmoidCrossEntropy(
        logit: head.logits.base[t], label: tokens[t] != batch.tokens[t])
      loss += own
      // A position that was drawn twice counts twice.
      gradients.base[t] += derivative * (weight ?? 0)
    }
    if weight != nil {
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      detection.backward(
        gradients, hidden: hidden, head, into: gradient, arena: arena, pass)
      pass.progress?.finished(detection.range)
      model.discriminator.backward(
        gradient, tokens: tokens, types: batch.types, activations, arena: arena, pass)
    }
    let logits = Array(UnsafeBufferPointer(start: head.logits.base, count: tokens.count))
    return DiscriminatorOutcome(loss: loss, logits: logits, judged: judged)
  }
}

/// What the discriminator says of a micro-batch.
package struct DiscriminatorOutcome: Sendable {
  /// The sum of the sigmoid cross-entropies, in nats.
  package let loss: Double
  /// (N)
  package let logits: [Float]
  /// The tokens whose losses are summed.
  package let judged: [Int]
}
