import Layers
import Tensors

/// One micro-batch on its way through the networks of a task (ELECTRA, figure 2).
///
///     batch                  the   chef  cooked   the   meal
///       | Masking
///       v
///     masked.tokens        [MASK]  chef  [MASK]   the   meal
///       | generate            |             |                   generator, a small masked LM
///       v                     v             v
///     samples                the           ate                  one per masked position
///       | corrupted
///       v
///     tokens                 the   chef    ate    the   meal
///       | discriminate        |     |       |      |     |      discriminator, a logit per token
///       v                     v     v       v      v     v
///     label                  orig  orig   REPL   orig  orig     replaced, if unlike `batch`
///
/// `PretrainingObjective.accumulate` makes these calls in this order. Each network runs forward
/// and, given a weight for its loss, backward; then its activations are released and the next
/// network uses the same memory (`Network.run`). No gradient flows from the discriminator through
/// the samples (section 2).
///
/// The passes of other objectives take the place of `discriminate`, one file each:
///
///     +Detection        discriminate                ELECTRA, ELECTRA 15%
///     +Prediction       predict                     MLM, Replace MLM; also the generator
///     +AllTokens        predictAllTokens            All-Tokens MLM
///     +PolicyGradient   accumulatePolicyGradient    an adversarial generator, afterwards
///     +PredictionAndDetection
///                       predictAndDiscriminate      mlm-rtd: masked positions predicted, others
///                                                   judged
package struct MicroBatchPass {
  let model: ElectraModel
  let batch: Batch
  let masked: Masking.Masked
  /// The positions that get samples: the masked ones, except in the objective mlm-rtd.
  let sampled: Masking.Masked
  let pass: PassContext
  let arena: Arena

  /// A pass of `batch`, which was masked to `masked`.
  ///
  /// `sampled` are the positions that get samples, nil for the masked ones. `arena` must have room
  /// for `capacity` of the shape.
  package init(
    _ model: ElectraModel, _ batch: Batch, _ masked: Masking.Masked,
    sampled: Masking.Masked? = nil, pass: PassContext, arena: Arena
  ) {
    self.model = model
    self.batch = batch
    self.masked = masked
    self.sampled = sampled ?? masked
    self.pass = pass
    self.arena = arena
  }

  /// The number of floats that the largest of the passes takes from an arena.
  ///
  /// `masked` is the number of masked positions, by default half of the tokens, which no mask
  /// fraction exceeds. Memory that is reserved and never touched costs nothing.
  package static func capacity(
    _ model: ElectraModel, _ shape: BatchShape, masked: Int? = nil
  ) -> Int {
    let masked = masked ?? (shape.tokens + 1) / 2
    let languageModels = [model.generator, model.predictor].compactMap(\.self)
    var capacities = languageModels.map { $0.capacity(shape, masked: masked) }
    if let detection = model.discriminatorHead {
      var floats = detection.capacity(model.discriminator, shape)
      if let head = model.predictor?.head {
        floats +=
          model.task.objective == .allTokensMLM
          ? allTokensCapacity(head, shape) : head.capacity(masked: masked, in: shape.arithmetic)
      }
      capacities.append(floats)
    }
    return capacities.max() ?? 0
  }

  /// Runs the generator; with a `weight` also its backward pass.
  ///
  /// - Parameters:
  ///   - draws: the random numbers of the sample at position k; nil to draw no sample.
  ///   - weight: the weight of one position in the loss; nil for no backward pass.
  ///   - inspect: a function called after the forward pass, for tests.
  /// - Returns: the outcome at each position that gets a sample (K), the sample among it; empty
  ///   without a generator.
  package func generate(
    draws: @escaping (Int) -> SampleDraws?, weight: Float?,
    inspect: (Network.Activations, VocabularyHead.Activations) -> Void = { _, _ in }
  ) -> [VocabularyOutcome] {
    guard let generator = model.generator, !sampled.positions.isEmpty else { return [] }
    // With all weights shared, one network runs twice: its two passes need independent dropout
    // masks.
    let generatorPass =
      model.task.sharing == .all
      ? pass.withoutProgress.withIndependentDropout : pass.withoutProgress
    let targets = PredictionTargets(
      positions: sampled.positions, tokens: sampled.targets, draws: draws)
    return predict(
      sampled.tokens, generator, generatorPass, targets,
      weights: weight.map { equalWeights($0) }, inspect: inspect)
  }

  /// The input of the discriminator's encoder: the tokens of the batch (N) with `samples` (K) at
  /// their positions, and the tokens of `masked` at masked positions that get none.
  ///
  /// A position that was drawn more than once gets the mean of the ids of its samples, rounded
  /// down, as the reference's `scatter_update` does.
  package func corrupted(_ samples: [Int32]) -> [Int32] {
    let objective = model.task.objective
    let samplesAtMasked = objective.readsSamples && !objective.masksAndReplaces
    var tokens = samplesAtMasked ? batch.tokens : masked.tokens
    var k = 0
    while k < samples.count {
      let position = sampled.positions[k]
      let end = sampled.positions[k...].firstIndex { $0 != position } ?? samples.count
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
