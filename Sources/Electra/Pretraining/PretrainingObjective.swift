import Layers
import Tensors

/// The pre-training objective of a task.
///
/// ELECTRA's is the generator's masked language modelling loss plus 50 times the loss of replaced
/// token detection, the discriminator's over all tokens (section 2).
///
///     loss = mean over masked positions of -log p_G(x_t) + lambda * mean over tokens of BCE_D
///
/// In the objective mlm-rtd the discriminator's encoder also predicts masked positions, and other
/// positions get the samples (`MicroBatchPass.predictAndDiscriminate`).
///
/// Means are over the whole global batch, [CLS] and [SEP] included. Each slice divides its sums by
/// the counts of the global batch, so that gradients and losses of slices add up to those of the
/// whole.
package struct PretrainingObjective: TrainingObjective {
  package let model: ElectraModel
  package let masking: Masking
  /// The weight of the discriminator's loss, lambda in the paper.
  let discriminatorWeight: Float
  /// The largest number of tokens in a micro-batch, unless one sequence is longer.
  let microBatchTokens: Int
  /// The longest sequence of the pass, in tokens.
  package let longest: Int
  let seed: UInt64
  /// Whether backward passes recompute the activations inside encoder layers (gradient
  /// checkpointing).
  ///
  /// It takes a third more matrix products and a fraction of the memory, and gives the same bits.
  package var recomputes = false
  package var arithmetic = Arithmetic.float32
  /// The generator without a network (unigram or uniform); nil for a transformer or for no samples.
  package var sampler: TokenSampler?
  /// The steps in which the weight of the discriminator's loss rises linearly from 0; nil for a
  /// constant weight.
  package var discriminatorRamp: Range<Int>?
  /// The first step that trains the discriminator, in two-stage training; nil in joint training.
  package var secondStage: Int?
  private let sampleSite = RandomStream.site("sample")

  /// Creates an objective without a `sampler` and without stages.
  ///
  /// A sequence of more than `microBatchTokens` tokens is a micro-batch of its own. No sequence may
  /// be longer than `longest`.
  package init(
    model: ElectraModel, masking: Masking, discriminatorWeight: Float, microBatchTokens: Int,
    longest: Int, seed: UInt64
  ) {
    self.model = model
    self.masking = masking
    self.discriminatorWeight = discriminatorWeight
    self.microBatchTokens = microBatchTokens
    self.longest = longest
    self.seed = seed
  }

  package var layout: ParameterLayout { model.layout }
  package var gradientOrder: [Range<Int>] { model.gradientOrder }
  package var weightOrder: [Range<Int>] { model.weightOrder }

  /// The numbers of masked positions and of tokens; in the objective mlm-rtd also of positions with
  /// samples.
  package func counts(of slice: Batch) -> [Int] {
    let counts = [masking.mask(slice).positions.count, slice.tokenCount]
    return counts + (replaced(slice).map { [$0.positions.count] } ?? [])
  }

  /// The positions that get samples, if they are not the masked ones.
  private func replaced(_ batch: Batch) -> Masking.Masked? {
    model.task.objective.masksAndReplaces ? masking.replace(batch) : nil
  }

  /// An arena for the largest micro-batch of `sequences` sequences.
  package func makeWorkspace(sequences: Int) -> Arena {
    var shape = BatchShape(
      tokens: min(microBatchTokens, sequences * longest), longest: longest)
    shape.recomputes = recomputes
    shape.arithmetic = arithmetic
    return Arena(capacity: MicroBatchPass.capacity(model, shape))
  }

  /// Adds the gradient of a slice, micro-batch by micro-batch; see `MicroBatchPass` for the passes.
  package func accumulate(
    _ slice: Batch, totals: [Int], weights: Weights, gradient: Storage, workspace: Arena,
    progress: ParameterProgress
  ) -> Tally {
    let lossWeights = lossWeights(totals, step: slice.step)
    let stage = stage(slice.step)
    var tally = PretrainingTally()
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    for (index, part) in parts.enumerated() {
      workspace.release(to: 0)
      // All micro-batches add to one gradient, so a range is final only after the last of them.
      let isLast = index == parts.count - 1
      let partProgress = ParameterProgress(
        willRead: progress.willRead, didFinish: isLast ? progress.didFinish : { _ in })
      let context = PassContext(
        batch: part, weights: weights, gradient: gradient, seed: seed, recomputes: recomputes,
        progress: partProgress)
      let pass = MicroBatchPass(
        model, part, masking.mask(part), sampled: replaced(part), pass: context, arena: workspace)
      accumulate(pass, stage, lossWeights, partProgress, into: &tally)
    }
    // Both networks add to the gradient of the embeddings, so it is final only after the last pass.
    progress.didFinish(model.embeddingRange)
    return tally.tally
  }

  /// Runs the passes of one micro-batch.
  private func accumulate(
    _ pass: MicroBatchPass, _ stage: Stage, _ lossWeights: LossWeights,
    _ progress: ParameterProgress,
    into tally: inout PretrainingTally
  ) {
    // The generator's passes do not report progress themselves: an adversarial generator runs
    // twice, and with shared weights its layers are not final after its backward pass.
    model.generatorWeightRanges.forEach(progress.willRead)
    // An adversarial generator is trained after the discriminator's pass, which gives its rewards.
    let isAdversarial = model.task.scheme == .adversarial
    let samples = accumulateGenerator(
      pass, weight: stage.generator && !isAdversarial ? lossWeights.generator : nil, into: &tally)
    if !isAdversarial { progress.didFinish(model.generatorOnlyRange) }
    guard stage.discriminator else {
      // This stage does not read the discriminator's weights, but the previous step's update must
      // have arrived before the next update.
      progress.willRead(model.discriminatorRange)
      progress.didFinish(model.discriminatorRange)
      return
    }
    let rewards = accumulateDiscriminator(
      pass, pass.corrupted(samples), weights: lossWeights, into: &tally)
    if isAdversarial {
      _ = pass.accumulatePolicyGradient(samples, rewards: rewards, weight: lossWeights.generator)
      progress.didFinish(model.generatorOnlyRange)
    }
  }

  /// The tally of a slice: both networks run forward, whatever the stage of training.
  package func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    var tally = PretrainingTally()
    for part in slice.microBatches(tokenLimit: microBatchTokens) {
      workspace.release(to: 0)
      let context = PassContext(
        batch: part, weights: weights, gradient: nil, seed: nil, recomputes: recomputes)
      let pass = MicroBatchPass(
        model, part, masking.mask(part), sampled: replaced(part), pass: context, arena: workspace)
      let samples = accumulateGenerator(pass, weight: nil, into: &tally)
      _ = accumulateDiscriminator(pass, pass.corrupted(samples), weights: nil, into: &tally)
    }
    return tally.tally
  }

  /// The losses, weighted as in training but without the ramp of the discriminator's weight, and
  /// the metrics of the task.
  package func metrics(of tally: Tally) -> MetricValues {
    PretrainingTally(tally).metrics(model.task, weight: Double(discriminatorWeight))
  }

  /// The weights of single positions in the loss of the global batch.
  private struct LossWeights {
    /// Of a position with a sample in the generator's loss.
    let generator: Float
    /// Of a token, or a masked position, in the loss of the discriminator's encoder.
    let discriminator: Float
    /// Of a masked position in the predictions beside replaced token detection.
    let prediction: Float
  }

  /// The weights at a step, from the counts of the global batch.
  private func lossWeights(_ totals: [Int], step: Int) -> LossWeights {
    func share(_ count: Int) -> Float { 1 / Float(max(1, count)) }
    let objective = model.task.objective
    let judged =
      objective.masksAndReplaces
      ? totals[1] - totals[0] : objective.lossCoversAllTokens ? totals[1] : totals[0]
    return LossWeights(
      generator: share(totals.count > 2 ? totals[2] : totals[0]),
      discriminator: discriminatorWeight(at: step) * share(judged), prediction: share(totals[0]))
  }

  /// The weight of the discriminator's loss at a step.
  func discriminatorWeight(at step: Int) -> Float {
    guard let ramp = discriminatorRamp, step < ramp.upperBound else { return discriminatorWeight }
    let progress = Float(max(0, step - ramp.lowerBound)) / Float(max(1, ramp.count))
    return discriminatorWeight * progress
  }

  /// Runs the generator, adds its gradient and returns its samples (K).
  ///
  /// `weight` is the weight of a position; nil for no backward pass. Without samples (the
  /// encoder reads [MASK]) it does nothing.
  private func accumulateGenerator(
    _ pass: MicroBatchPass, weight: Float?, into tally: inout PretrainingTally
  ) -> [Int32] {
    guard model.task.objective.readsSamples else { return [] }
    let samples: [Int32]
    if let sampler {
      samples = pass.sampled.positions.indices.map { k in
        sampler.sample(
          sampleStream(pass.batch, pass.sampled.coordinates[k]),
          index: pass.sampled.coordinates[k].ordinal,
          excluding: model.task.disallowsCorrect ? pass.sampled.targets[k] : nil)
      }
    } else {
      let outcomes = pass.generate(draws: { draws(pass.batch, pass.sampled, $0) }, weight: weight)
      tally.add(generated: outcomes, pass.sampled)
      samples = outcomes.map(\.sample)
    }
    tally.add(samples: samples, pass.sampled)
    return samples
  }

  /// Runs the discriminator's encoder with the head of the objective on `tokens` and adds its
  /// gradient.
  ///
  /// `weights` are those of single positions; nil for no backward pass. Returns the rewards of an
  /// adversarial generator (K), otherwise nothing.
  private func accumulateDiscriminator(
    _ pass: MicroBatchPass, _ tokens: [Int32], weights: LossWeights?,
    into tally: inout PretrainingTally
  ) -> [Double] {
    let weight = weights?.discriminator
    switch model.task.objective {
    case .electra, .electra15:
      let outcome = pass.discriminate(
        tokens, weight: weight, onlyMasked: model.task.objective == .electra15)
      tally.add(outcome, of: tokens, originals: pass.batch.tokens)
      guard model.task.scheme == .adversarial else { return [] }
      let rewards = pass.rewards(outcome, tokens)
      tally.add(rewards: rewards)
      return rewards
    case .allTokensMLM:
      let outcome = pass.predictAllTokens(tokens, weight: weight)
      tally.add(outcome.detection, of: tokens, originals: pass.batch.tokens)
      tally.add(outcome, pass.masked)
    case .mlmRTD:
      let (predicted, detection) = pass.predictAndDiscriminate(
        tokens, weights: weights.map { ($0.prediction, $0.discriminator) })
      tally.add(predicted: predicted, pass.masked)
      tally.add(detection, of: tokens, originals: pass.batch.tokens)
    case .mlm, .replaceMLM:
      tally.add(predicted: pass.predict(tokens, weight: weight), pass.masked)
    }
    return []
  }

  /// The random stream of the samples of a sequence.
  private func sampleStream(
    _ batch: Batch, _ coordinates: (sequence: Int, ordinal: Int)
  ) -> RandomStream {
    RandomStream(
      seed: seed, site: sampleSite, step: batch.step,
      sequence: batch.firstSequence + coordinates.sequence)
  }

  /// The random numbers of the sample at masked position `k`.
  ///
  /// They are numbers of its sequence's stream that no other masked position uses. The position
  /// with index i among those of the sequence uses counter i for the inverse of the distribution
  /// function. For the Gumbel-max trick it uses one number for each token of the vocabulary: the
  /// blocks of 32 numbers from block i * ceil(V / 32) on.
  private func draws(_ batch: Batch, _ masked: Masking.Masked, _ k: Int) -> SampleDraws {
    let coordinates = masked.coordinates[k]
    let stream = sampleStream(batch, coordinates)
    switch model.task.sampling {
    case .inverse: return .inverse(stream.uniform(coordinates.ordinal))
    case .gumbel:
      let blocks = (model.sizes.vocabularySize + 31) / 32
      return .gumbel(.stream(stream, firstBlock: coordinates.ordinal * blocks))
    }
  }
}
