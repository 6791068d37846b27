import Layers
import Tensors

/// One micro-batch through both networks: mask, generate, sample, discriminate.
///
/// The generator runs forward, samples, and runs backward; then its activations are given back and
/// the discriminator runs in the same memory. Nothing of the sample is differentiated (ELECTRA,
/// section 2: no gradient passes through the sampling step).
package struct MicroBatchPass {
  let model: ElectraModel
  let batch: Batch
  let masked: Masking.Masked
  let pass: Pass
  let arena: Arena

  package init(
    _ model: ElectraModel, _ batch: Batch, _ masked: Masking.Masked, pass: Pass, arena: Arena
  ) {
    self.model = model
    self.batch = batch
    self.masked = masked
    self.pass = pass
    self.arena = arena
  }

  /// The most floats that both passes take of an arena.
  ///
  /// - Parameter masked: the masked positions; by default half of the tokens, which no sequence
  ///   exceeds. Memory that is never touched costs nothing.
  package static func capacity(
    _ model: ElectraModel, _ shape: BatchShape, masked: Int? = nil
  ) -> Int {
    let (sizes, masked) = (model.sizes, masked ?? (shape.tokens + 1) / 2)
    let (narrow, wide) = (sizes.generator.hiddenSize, sizes.discriminator.hiddenSize)
    let generator = Arena.measure { arena in
      _ = Network.Activations(model.generator, shape, arena: arena)
      _ = GeneratorHead.Activations(
        masked: masked, hidden: narrow, embedding: sizes.embeddingSize,
        vocabulary: sizes.vocabularySize, arena: arena)
      for width in [narrow, sizes.embeddingSize, narrow, sizes.embeddingSize] {
        _ = arena.tensor(shape.tokens, width)
      }
    }
    let discriminator = Arena.measure { arena in
      _ = Network.Activations(model.discriminator, shape, arena: arena)
      _ = DiscriminatorHead.Activations(shape, size: wide, arena: arena)
      for width in [1, wide, wide, sizes.embeddingSize] { _ = arena.tensor(shape.tokens, width) }
    }
    return max(generator, discriminator)
  }

  /// The generator: the outcome at each masked position (K).
  ///
  /// - Parameters:
  ///   - draws: the uniform numbers of masked position k; nil to draw no sample.
  ///   - weight: the weight of one masked position in the loss; nil for no backward pass.
  ///   - inspect: called after the forward pass.
  package func generate(
    draws: (Int) -> SampleDraws?, weight: Float?,
    inspect: (Network.Activations, GeneratorHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    guard !masked.positions.isEmpty else { return [] }
    let pass = pass.quiet
    let mark = arena.used
    defer { arena.release(to: mark) }
    let sizes = model.sizes
    let activations = Network.Activations(model.generator, pass.shape, arena: arena)
    let head = GeneratorHead.Activations(
      masked: masked.positions.count, hidden: sizes.generator.hiddenSize,
      embedding: sizes.embeddingSize, vocabulary: sizes.vocabularySize, arena: arena)
    let hidden = model.generator.forward(
      tokens: masked.tokens, types: batch.types, activations, pass)
    let outcomes = model.generatorHead.forward(
      hidden, positions: masked.positions, targets: masked.targets, head, draws: draws, pass)
    inspect(activations, head)
    if let weight {
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      model.generatorHead.backward(
        positions: masked.positions, targets: masked.targets, weight: weight, head,
        into: gradient, arena: arena, pass)
      model.generator.backward(
        gradient, tokens: masked.tokens, types: batch.types, activations, arena: arena, pass)
    }
    return outcomes
  }

  /// The discriminator on `tokens` (N), the batch with samples written in: the logit of each (N).
  ///
  /// - Parameters:
  ///   - weight: the weight of one token in the loss; nil for no backward pass.
  ///   - inspect: called after the forward pass.
  package func discriminate(
    _ tokens: [Int32], weight: Float?, inspect: (Network.Activations) -> Void = { _ in }
  ) -> DiscriminatorOutcome {
    let mark = arena.used
    defer { arena.release(to: mark) }
    let activations = Network.Activations(model.discriminator, pass.shape, arena: arena)
    let head = DiscriminatorHead.Activations(
      pass.shape, size: model.sizes.discriminator.hiddenSize, arena: arena)
    let hidden = model.discriminator.forward(
      tokens: tokens, types: batch.types, activations, pass)
    pass.progress?.needs(model.headRange)
    model.discriminatorHead.forward(hidden, head, pass)
    inspect(activations)
    let gradients = arena.tensor(1, tokens.count)
    var loss = 0.0
    for t in tokens.indices {
      let (own, derivative) = sigmoidCrossEntropy(
        logit: head.logits.base[t], label: tokens[t] != batch.tokens[t])
      loss += own
      gradients.base[t] = derivative * (weight ?? 0)
    }
    if weight != nil {
      let gradient = arena.tensor(hidden.rows, hidden.columns)
      model.discriminatorHead.backward(
        gradients, hidden: hidden, head, into: gradient, arena: arena, pass)
      pass.progress?.finished(model.headRange)
      model.discriminator.backward(
        gradient, tokens: tokens, types: batch.types, activations, arena: arena, pass)
    }
    let logits = Array(UnsafeBufferPointer(start: head.logits.base, count: tokens.count))
    return DiscriminatorOutcome(loss: loss, logits: logits)
  }

  /// The batch with `outcomes`' samples written in at the masked positions.
  package func corrupted(_ outcomes: [VocabularyOutcome]) -> [Int32] {
    var tokens = batch.tokens
    for (position, outcome) in zip(masked.positions, outcomes) {
      tokens[Int(position)] = outcome.sample
    }
    return tokens
  }
}

/// What the discriminator says of a micro-batch.
package struct DiscriminatorOutcome: Sendable {
  /// The sum of the sigmoid cross-entropies, in nats.
  package let loss: Double
  /// (N)
  package let logits: [Float]
}
