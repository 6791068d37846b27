import Layers
import Tensors

// All-Tokens MLM (ELECTRA, section 3.4): the encoder predicts the original token at every position.
// A copy gate lets it copy the input token. The paper's gate is a sigmoid layer; here it is the
// discriminator's head, so that the model also detects replaced tokens:
//
//     r = sigmoid(z)                                   the probability that the token was replaced
//     p(x) = (1 - r) [x is the input token] + r softmax(x)
//     loss = -log p(original)
//
// With s = softmax(original) and q = r s / p(original), the posterior probability that the original
// token comes from the softmax rather than from copying:
//
//     d loss / dz = r - q,     d loss / d logits = q (softmax - [original])
//
// The logits of all tokens would be N x V floats. The softmax is therefore computed for a chunk of
// rows at a time, forward and backward, so that its memory does not grow with N.

extension MicroBatchPass {
  /// The number of rows of logits in memory at a time.
  private static let chunk = 64

  /// Predicts the original of every token; with a `weight` also runs the backward pass.
  ///
  /// `tokens` (N) is the batch with samples at the masked positions. `weight` is the weight of one
  /// token in the loss; nil for no backward pass.
  func predictAllTokens(_ tokens: [Int32], weight: Float?) -> AllTokensOutcome {
    guard let copyGate = model.discriminatorHead, let predictor = model.predictor else {
      preconditionFailure("the objective \(model.task.objective.rawValue) has no copy gate")
    }
    return model.discriminator.run(
      tokens: tokens, segmentIDs: batch.segmentIDs,
      headRanges: [copyGate.range, predictor.headRange], arena: arena, pass
    ) { hidden, _ in
      let head = DiscriminatorHead.Activations(pass.shape, size: hidden.columns, arena: arena)
      copyGate.forward(hidden, head, pass)
      var allTokens = AllTokensPass(
        microBatch: self, head: predictor.head, tokens: tokens, weight: weight, hidden: hidden,
        gateLogits: head.logits, gateGradients: arena.tensor(1, tokens.count),
        gradient: arena.tensor(hidden.rows, hidden.columns),
        outcome: AllTokensOutcome(
          detection: DiscriminatorOutcome(
            logits: Array(UnsafeBufferPointer(start: head.logits.base, count: tokens.count)),
            of: tokens, originals: batch.tokens)))
      allTokens.gradient.fill(0)
      for start in stride(from: 0, to: tokens.count, by: Self.chunk) {
        allTokens.add(start..<min(start + Self.chunk, tokens.count))
      }
      guard weight != nil else { return (allTokens.outcome, nil) }
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      copyGate.backward(
        allTokens.gateGradients, hidden: hidden, head, into: gradient, arena: arena, pass)
      gradient.add(allTokens.gradient)
      return (allTokens.outcome, gradient)
    }
  }

  /// The number of floats that the predictions of `predictAllTokens` take from an arena.
  static func allTokensCapacity(_ head: VocabularyHead, _ shape: BatchShape) -> Int {
    head.capacity(masked: min(chunk, shape.tokens), in: shape.arithmetic)
      + Arena.measure { _ = $0.tensor(shape.tokens, head.dense.weight.columns) }
  }
}

/// The softmax over the vocabulary at all tokens of a micro-batch, a chunk of rows at a time.
private struct AllTokensPass {
  let microBatch: MicroBatchPass
  let head: VocabularyHead
  let tokens: [Int32]
  /// The weight of one token in the loss; nil for no backward pass.
  let weight: Float?
  let hidden: HiddenStates  // (N, D), the encoder's output
  let gateLogits: Tensor  // (1, N)
  let gateGradients: Tensor  // (1, N)
  let gradient: Tensor  // (N, D), of `hidden`, without the gate's part
  var outcome: AllTokensOutcome

  /// Adds the losses and predictions of the tokens in `rows`, and their part of the gradients.
  mutating func add(_ rows: Range<Int>) {
    let (arena, pass) = (microBatch.arena, microBatch.pass)
    let mark = arena.used
    defer { arena.release(to: mark) }
    let targets = PredictionTargets(
      positions: rows.map { Int32($0) }, tokens: Array(microBatch.batch.tokens[rows]))
    let activations = VocabularyHead.Activations(
      head, masked: rows.count, in: pass.weights.arithmetic, arena: arena)
    let outcomes = head.forward(hidden, targets, activations, pass)
    let weight = weight ?? 0
    var weights: [Float] = []
    for (t, softmax) in zip(rows, outcomes) {
      let mixture = GatedMixture(
        gate: gateLogits.base[t], loss: softmax.loss,
        isOriginal: tokens[t] == microBatch.batch.tokens[t])
      outcome.losses.append(mixture.loss)
      outcome.predictions.append(gateLogits.base[t] > 0 ? softmax.best : tokens[t])
      gateGradients.base[t] = Float(mixture.replaced - mixture.share) * weight
      weights.append(Float(mixture.share) * weight)
    }
    guard self.weight != nil else { return }
    head.backward(
      targets, weights: weights, activations, addingTo: gradient, arena: arena, pass)
  }
}

/// The loss of one token under the mixture of copying and predicting, as derived above.
package struct GatedMixture {
  /// -log p(original), in nats.
  package let loss: Double
  /// r, the probability that the token was replaced.
  package let replaced: Double
  /// q, the share of the softmax in p(original).
  package let share: Double

  /// Computes the mixture in the log domain.
  ///
  /// - Parameters:
  ///   - gate: z, the logit of having been replaced.
  ///   - softmaxLoss: -log s.
  ///   - isOriginal: whether the input token is the original.
  package init(gate: Float, loss softmaxLoss: Float, isOriginal: Bool) {
    // -log r, computed without cancellation.
    let replacedLoss = sigmoidCrossEntropy(logit: gate, label: true).loss
    replaced = naturalExponential(-replacedLoss)
    if isOriginal {
      let fromSoftmax = naturalExponential(-replacedLoss - Double(softmaxLoss))
      let copied = naturalExponential(-sigmoidCrossEntropy(logit: gate, label: false).loss)
      loss = -naturalLogarithm(copied + fromSoftmax)
      share = fromSoftmax / (copied + fromSoftmax)
    } else {
      loss = replacedLoss + Double(softmaxLoss)
      share = 1
    }
  }
}

/// The outcome of All-Tokens MLM for a micro-batch.
struct AllTokensOutcome: Sendable {
  /// The copy gate evaluated as a discriminator.
  let detection: DiscriminatorOutcome
  /// The loss of each token, in nats. (N)
  fileprivate(set) var losses: [Double] = []
  /// The predicted tokens: the input where the gate copies, else the most likely one. (N)
  fileprivate(set) var predictions: [Int32] = []
}
