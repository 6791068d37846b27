import Layers
import Tensors

/// One micro-batch through the networks of a task: mask, generate, sample, discriminate or predict.
///
/// The generator runs forward, samples, and runs backward; then its activations are given back and
/// the large encoder runs in the same memory. Nothing of the sample is differentiated (ELECTRA,
/// section 2: no gradient passes through the sampling step). Each kind of pass has a file of its own:
/// `LanguageModel.swift`, `Detection.swift` and `Restoration.swift`.
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

  /// The most floats that any of the passes takes of an arena.
  ///
  /// - Parameter masked: the masked positions; by default half of the tokens, which no sequence
  ///   exceeds. Memory that is never touched costs nothing.
  package static func capacity(
    _ model: ElectraModel, _ shape: BatchShape, masked: Int? = nil
  ) -> Int {
    let masked = masked ?? (shape.tokens + 1) / 2
    let languageModels = [model.generator, model.predictor].compactMap(\.self)
    let others = [
      model.discriminatorHead?.capacity(model.discriminator, shape) ?? 0,
      restorationCapacity(model, shape),
    ]
    return (languageModels.map { $0.capacity(shape, masked: masked) } + others).max() ?? 0
  }

  /// The generator: the outcome at each masked position (K).
  ///
  /// - Parameters:
  ///   - draws: the uniform numbers of masked position k; nil to draw no sample.
  ///   - weight: the weight of one masked position in the loss; nil for no backward pass.
  ///   - inspect: called after the forward pass.
  package func generate(
    draws: (Int) -> SampleDraws?, weight: Float?,
    inspect: (Network.Activations, VocabularyHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    guard let generator = model.generator, !masked.positions.isEmpty else { return [] }
    return predict(
      masked.tokens, generator, pass.quiet, draws: draws, weight: weight, inspect: inspect)
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
