import Layers
import Tensors

// All-Tokens MLM (ELECTRA, section 3.4): the large encoder says of every token which one stood there.
// A gate lets it copy what it reads. The paper gives the gate as a sigmoid layer; ours is the
// discriminator's head, so that the model tells replaced tokens too:
//
//     r = sigmoid(z)                                   the chance that the token was replaced
//     p(x) = (1 - r) [x is what is read] + r softmax(x)
//     loss = -log p(original)
//
// With s = softmax(original), and q = r s / p(original) the share that the softmax has in a right
// answer:
//
//     d loss / dz = r - q,     d loss / d logits = q (softmax - [original])
//
// The softmax is computed for a few rows at a time, forward and backward, so that memory does not grow
// with the tokens.

extension MicroBatchPass {
  /// The rows of logits that exist at a time.
  private static let chunk = 64

  /// The large encoder on `tokens` (N), the batch with samples written in: what it says of each.
  ///
  /// - Parameter weight: the weight of one token in the loss; nil for no backward pass.
  package func restore(_ tokens: [Int32], weight: Float?) -> RestorationOutcome {
    guard let gate = model.discriminatorHead, let predictor = model.predictor else {
      preconditionFailure("the objective \(model.task.objective.rawValue) restores no tokens")
    }
    let mark = arena.used
    defer { arena.release(to: mark) }
    let activations = Network.Activations(model.discriminator, pass.shape, arena: arena)
    let head = DiscriminatorHead.Activations(
      pass.shape, size: model.sizes.discriminator.hiddenSize, arena: arena)
    let hidden = model.discriminator.forward(tokens: tokens, types: batch.types, activations, pass)
    pass.progress?.needs(gate.range)
    pass.progress?.needs(predictor.headRange)
    gate.forward(hidden, head, pass)

    var naming = Naming(
      run: self, head: predictor.head, tokens: tokens, weight: weight, hidden: hidden,
      gate: head.logits, gateGradients: arena.tensor(1, tokens.count),
      gradient: arena.tensor(hidden.rows, hidden.columns),
      outcome: RestorationOutcome(verdict: verdict(head.logits, tokens)))
    naming.gradient.fill(0)
    for start in stride(from: 0, to: tokens.count, by: Self.chunk) {
      naming.add(start..<min(start + Self.chunk, tokens.count))
    }
    if weight != nil {
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      gate.backward(
        naming.gateGradients, hidden: hidden, head, into: gradient, arena: arena, pass)
      gradient.add(naming.gradient)
      pass.progress?.finished(gate.range)
      pass.progress?.finished(predictor.headRange)
      model.discriminator.backward(
        gradient, tokens: tokens, types: batch.types, activations, arena: arena, pass)
    }
    return naming.outcome
  }

  /// The gate seen as a discriminator.
  private func verdict(_ logits: Tensor, _ tokens: [Int32]) -> DiscriminatorOutcome {
    let loss = tokens.indices.reduce(0.0) {
      $0 + sigmoidCrossEntropy(logit: logits.base[$1], label: tokens[$1] != batch.tokens[$1]).loss
    }
    return DiscriminatorOutcome(
      loss: loss, logits: Array(UnsafeBufferPointer(start: logits.base, count: tokens.count)),
      judged: Array(tokens.indices))
  }

  /// The floats that `restore` takes of an arena.
  static func restorationCapacity(_ model: ElectraModel, _ shape: BatchShape) -> Int {
    guard let predictor = model.predictor, let gate = model.discriminatorHead else { return 0 }
    let rows = min(chunk, shape.tokens)
    let (width, embedding) = (model.sizes.discriminator.hiddenSize, model.sizes.embeddingSize)
    return gate.capacity(model.discriminator, shape)
      + Arena.measure { arena in
        _ = arena.tensor(shape.tokens, width)
        _ = VocabularyHead.Activations(predictor.head, masked: rows, arena: arena)
        for width in [width, embedding] { _ = arena.tensor(rows, width) }
      }
  }
}

/// The softmax over the vocabulary at all tokens of a micro-batch, a few rows at a time.
private struct Naming {
  let run: MicroBatchPass
  let head: VocabularyHead
  let tokens: [Int32]
  /// The weight of one token in the loss; nil for no backward pass.
  let weight: Float?
  /// The encoder's output (N, D) and its gradient.
  let hidden: Tensor
  /// The gate's logits (1, N) and their gradients.
  let gate: Tensor
  let gateGradients: Tensor
  let gradient: Tensor
  var outcome: RestorationOutcome

  /// The tokens of `rows`: their losses and answers, and their part of the gradients.
  mutating func add(_ rows: Range<Int>) {
    let (arena, pass) = (run.arena, run.pass)
    let mark = arena.used
    defer { arena.release(to: mark) }
    let targets = PredictionTargets(
      positions: rows.map { Int32($0) }, tokens: Array(run.batch.tokens[rows]))
    let own = VocabularyHead.Activations(head, masked: rows.count, arena: arena)
    let outcomes = head.forward(hidden, targets, own, pass)
    let weight = weight ?? 0
    var weights: [Float] = []
    for (t, named) in zip(rows, outcomes) {
      let mixture = GatedMixture(
        gate: gate.base[t], loss: named.loss, isOriginal: tokens[t] == run.batch.tokens[t])
      outcome.losses.append(mixture.loss)
      outcome.answers.append(gate.base[t] > 0 ? named.best : tokens[t])
      gateGradients.base[t] = Float(mixture.replaced - mixture.share) * weight
      weights.append(Float(mixture.share) * weight)
    }
    guard self.weight != nil else { return }
    head.backward(
      targets, weights: weights, own, addingTo: gradient, arena: arena, pass)
  }
}

/// What a model that may copy says of one token.
package struct GatedMixture {
  /// The loss of the original token, in nats.
  package let loss: Double
  /// The chance that the token was replaced.
  package let replaced: Double
  /// The share that the softmax has in the chance of the original.
  package let share: Double

  /// - Parameters:
  ///   - gate: the logit of having been replaced.
  ///   - loss: the softmax's loss of the original.
  ///   - isOriginal: whether the token that is read is the original.
  package init(gate: Float, loss softmaxLoss: Float, isOriginal: Bool) {
    // -log r, without cancellation; then r.
    let refusal = sigmoidCrossEntropy(logit: gate, label: true).loss
    replaced = naturalExponential(-refusal)
    if isOriginal {
      let fromSoftmax = naturalExponential(-refusal - Double(softmaxLoss))
      let copied = naturalExponential(-sigmoidCrossEntropy(logit: gate, label: false).loss)
      loss = -naturalLogarithm(copied + fromSoftmax)
      share = fromSoftmax / (copied + fromSoftmax)
    } else {
      loss = refusal + Double(softmaxLoss)
      share = 1
    }
  }
}

/// What the large encoder says of every token of a micro-batch when it may copy.
package struct RestorationOutcome: Sendable {
  /// The gate seen as a discriminator.
  package let verdict: DiscriminatorOutcome
  /// The loss of each token, in nats. (N)
  package fileprivate(set) var losses: [Double] = []
  /// What is read where the gate says that it is original, else the softmax's best. (N)
  package fileprivate(set) var answers: [Int32] = []
}
