import Layers
import Tensors

/// A network with a head that says at drawn positions which token stood there: the generator, and the
/// large encoder of the objectives that predict tokens.
package struct LanguageModel: Sendable {
  package let network: Network
  package let head: VocabularyHead
  /// Where the head lies in the flat vector, without the word embeddings.
  let headRange: Range<Int>

  /// A head for `network`.
  ///
  /// - Parameter names: those of the head's layers and of its bias.
  init(
    _ network: Network, names: VocabularyHead.Names, embeddingSize: Int, vocabularySize: Int,
    in layout: inout ParameterLayout
  ) {
    self.network = network
    let start = layout.count
    head = VocabularyHead(
      names, embeddings: network.embeddings, embeddingSize: embeddingSize,
      vocabularySize: vocabularySize, network.encoder.sizes, in: &layout)
    headRange = start..<layout.count
  }

  /// The floats that `MicroBatchPass.predict` and `reinforce` take of an arena for `masked` positions.
  func capacity(_ shape: BatchShape, masked: Int) -> Int {
    let (width, embedding) = (network.encoder.sizes.hiddenSize, head.embeddingSize)
    return Arena.measure { arena in
      _ = Network.Activations(network, shape, arena: arena)
      _ = VocabularyHead.Activations(head, masked: masked, arena: arena)
      for width in [width, embedding, width, embedding, 1] {
        _ = arena.tensor(shape.tokens, width)
      }
    }
  }
}

extension MicroBatchPass {
  /// The large encoder's own masked language modelling on `tokens` (N).
  ///
  /// - Parameters:
  ///   - tokens: what it reads. (N)
  ///   - weight: the weight of one masked position in the loss; nil for no backward pass.
  /// - Returns: the outcome at each masked position. (K)
  package func predict(_ tokens: [Int32], weight: Float?) -> [VocabularyOutcome] {
    guard let predictor = model.predictor else {
      preconditionFailure("the objective \(model.task.objective.rawValue) has no predicting head")
    }
    return predict(
      tokens, predictor, pass,
      PredictionTargets(positions: masked.positions, tokens: masked.targets),
      weights: weight.map { evenly($0) })
  }

  /// The same weight for every masked position.
  func evenly(_ weight: Float) -> (VocabularyHead.Activations) -> [Float] {
    { _ in Array(repeating: weight, count: masked.positions.count) }
  }

  /// Masked language modelling: `model` reads `tokens` (N) and says what stands at the drawn positions:
  /// the outcome at each (K).
  ///
  /// - Parameters:
  ///   - tokens: what the model reads. (N)
  ///   - model: the network and its head.
  ///   - pass: weights, gradients and random numbers.
  ///   - targets: the masked positions and the tokens whose losses count. (K)
  ///   - weights: after the forward pass, the weight of each masked position in the loss (K); nil for
  ///     no backward pass.
  ///   - inspect: called after the forward pass.
  /// - Returns: the outcome at each masked position. (K)
  package func predict(
    _ tokens: [Int32], _ model: LanguageModel, _ pass: PassContext, _ targets: PredictionTargets,
    weights: ((VocabularyHead.Activations) -> [Float])?,
    inspect: (Network.Activations, VocabularyHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    let mark = arena.used
    defer { arena.release(to: mark) }
    let activations = Network.Activations(model.network, pass.shape, arena: arena)
    let head = VocabularyHead.Activations(model.head, masked: targets.positions.count, arena: arena)
    let hidden = model.network.forward(tokens: tokens, types: batch.types, activations, pass)
    pass.progress?.needs(model.headRange)
    let outcomes = model.head.forward(
      hidden, targets, head, rule: self.model.task.samplingRule, pass)
    inspect(activations, head)
    if let weights {
      let weights = weights(head)
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      gradient.fill(0)
      model.head.backward(
        targets, weights: weights, head, addingTo: gradient, arena: arena, pass)
      pass.progress?.finished(model.headRange)
      model.network.backward(
        gradient, tokens: tokens, types: batch.types, activations, arena: arena, pass)
    }
    return outcomes
  }
}
