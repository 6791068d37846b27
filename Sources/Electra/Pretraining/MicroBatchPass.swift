import Layers
import Tensors

/// One micro-batch through the networks of a task: mask, generate, sample, discriminate or predict.
///
/// The generator runs forward, samples, and runs backward; then its activations are given back and
/// the large encoder runs in the same memory. Nothing of the sample is differentiated (ELECTRA,
/// section 2: no gradient passes through the sampling step). Each kind of pass has a file of its own:
/// `LanguageModel.swift`, `Detection.swift`, `Restoration.swift` and
/// `Adversary.swift`.
package struct MicroBatchPass {
  let model: ElectraModel
  let batch: Batch
  let masked: Masking.Masked
  let pass: PassContext
  let arena: Arena

  package init(
    _ model: ElectraModel, _ batch: Batch, _ masked: Masking.Masked, pass: PassContext, arena: Arena
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
    draws: @escaping (Int) -> SampleDraws?, weight: Float?,
    inspect: (Network.Activations, VocabularyHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    guard let generator = model.generator, !masked.positions.isEmpty else { return [] }
    // Where both are one network, each of its passes drops other elements.
    let own = model.task.sharing == .all ? pass.quiet.withOtherDropout : pass.quiet
    let targets = PredictionTargets(
      positions: masked.positions, tokens: masked.targets, draws: draws)
    return predict(
      masked.tokens, generator, own, targets,
      weights: weight.map { evenly($0) }, inspect: inspect)
  }

  /// The batch with `samples` (K) written in at the masked positions. A position that was drawn more
  /// than once gets the mean of its samples' ids, rounded down (the reference's `scatter_update`).
  package func corrupted(_ samples: [Int32]) -> [Int32] {
    var tokens = batch.tokens
    var k = 0
    while k < samples.count {
      let position = masked.positions[k]
      let end = masked.positions[k...].firstIndex { $0 != position } ?? samples.count
      tokens[Int(position)] = Int32(samples[k..<end].reduce(0) { $0 + Int($1) } / (end - k))
      k = end
    }
    return tokens
  }
}

extension PretrainingTask {
  /// How the generator's samples are drawn.
  var samplingRule: SamplingRule {
    SamplingRule(temperature: temperature, excludesTarget: disallowsCorrect)
  }
}
