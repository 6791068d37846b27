import Layers
import Tensors

/// What a model's task makes of a batch. ELECTRA's is replaced token detection as the paper trains it:
/// the generator's masked language modelling loss plus 50 times the discriminator's loss over all
/// tokens (section 2).
///
/// Losses are means over the whole global batch: of masked positions, or of tokens, [CLS] and
/// [SEP] included. Their gradients are added as if slices were one.
package struct PretrainingObjective: TrainingObjective {
  package let model: ElectraModel
  package let masking: Masking
  /// The weight of the large encoder's loss.
  let discriminatorWeight: Float
  /// The most tokens that go through the model at once.
  let microBatchTokens: Int
  let longest: Int
  let seed: UInt64
  /// Whether backward passes compute what is inside encoder layers anew: a third more products for a
  /// fraction of the memory, and the same bits.
  package var recomputes = false
  /// What draws samples where no network does; nil where one does, or none are drawn.
  package var sampler: TokenSampler?
  /// The step at which the generator has learnt and the discriminator begins, in two-stage training.
  package var secondStage: Int?
  private let sampleSite = RandomStream.site("sample")

  /// - Parameters:
  ///   - microBatchTokens: the tokens of a micro-batch; a longer sequence is one by itself.
  ///   - longest: the longest sequence that will come.
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

  /// Masked positions, and tokens.
  package func counts(of slice: Batch) -> [Int] {
    [masking.mask(slice).positions.count, slice.tokenCount]
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    var shape = BatchShape(
      tokens: min(microBatchTokens, sequences * longest), longest: longest)
    shape.recomputes = recomputes
    return Arena(capacity: MicroBatchPass.capacity(model, shape))
  }

  package func accumulate(
    _ slice: Batch, totals: [Int], weights: Storage, gradient: Storage, workspace: Arena,
    progress: ParameterProgress
  ) -> Tally {
    let shares = LossShares(
      generator: 1 / Float(max(1, totals[0])),
      encoder: discriminatorWeight
        / Float(max(1, model.task.objective.judgesAllTokens ? totals[1] : totals[0])))
    let stage = stage(slice.step)
    var tally = PretrainingTally()
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    for (index, part) in parts.enumerated() {
      workspace.release(to: 0)
      // All micro-batches add to one gradient, so a range is final only when the last one leaves it.
      let isLast = index == parts.count - 1
      let reported = ParameterProgress(
        needs: progress.needs, finished: isLast ? progress.finished : { _ in })
      let pass = PassContext(
        batch: part, weights: weights, gradient: gradient, seed: seed, recomputes: recomputes,
        progress: reported)
      let run = MicroBatchPass(model, part, masking.mask(part), pass: pass, arena: workspace)
      accumulate(run, stage, shares, reported, into: &tally)
    }
    // Both networks read the embeddings and add to their gradient, up to the last pass.
    progress.finished(model.embeddingRange)
    return tally.tally
  }

  /// The passes of one micro-batch.
  private func accumulate(
    _ run: MicroBatchPass, _ stage: Stage, _ shares: LossShares, _ progress: ParameterProgress,
    into tally: inout PretrainingTally
  ) {
    // The generator's passes report nothing: sampling reads all of it at once, it runs twice when it
    // is trained against the discriminator, and with shared weights its layers are not final yet.
    model.generatorReads.forEach(progress.needs)
    // An adversarial generator learns from rewards that only the discriminator's pass will give.
    let isAdversarial = model.task.scheme == .adversarial
    let samples = generate(
      run, share: stage.generator && !isAdversarial ? shares.generator : nil, into: &tally)
    if !isAdversarial { progress.finished(model.generatorOwns) }
    guard stage.encoder else {
      // Weights that nobody reads must have arrived before they are updated all the same.
      progress.needs(model.discriminatorRange)
      progress.finished(model.discriminatorRange)
      return
    }
    let tokens = model.task.objective.readsSamples ? run.corrupted(samples) : run.masked.tokens
    let rewards = learn(run, tokens, share: shares.encoder, into: &tally)
    if isAdversarial {
      _ = run.reinforce(samples, rewards: rewards, share: shares.generator)
      progress.finished(model.generatorOwns)
    }
  }

  package func evaluate(_ slice: Batch, weights: Storage, workspace: Arena) -> Tally {
    var tally = PretrainingTally()
    for part in slice.microBatches(tokenLimit: microBatchTokens) {
      workspace.release(to: 0)
      let pass = PassContext(
        batch: part, weights: weights, gradient: nil, seed: nil, recomputes: recomputes)
      let run = MicroBatchPass(model, part, masking.mask(part), pass: pass, arena: workspace)
      let samples = generate(run, share: nil, into: &tally)
      let tokens = model.task.objective.readsSamples ? run.corrupted(samples) : run.masked.tokens
      _ = learn(run, tokens, share: nil, into: &tally)
    }
    return tally.tally
  }

  package func metrics(of tally: Tally) -> MetricValues {
    PretrainingTally(tally).metrics(model.task, weight: Double(discriminatorWeight))
  }

  /// What one masked position and one token weigh in the loss of the global batch.
  private struct LossShares {
    /// A masked position in the generator's loss.
    let generator: Float
    /// A token, or a masked position, in the large encoder's.
    let encoder: Float
  }

  /// The samples at the masked positions (K); none where the large encoder reads [MASK].
  ///
  /// - Parameter share: what a masked position weighs; nil for no backward pass.
  private func generate(
    _ run: MicroBatchPass, share: Float?, into tally: inout PretrainingTally
  ) -> [Int32] {
    guard model.task.objective.readsSamples else { return [] }
    let samples: [Int32]
    if let sampler {
      samples = run.masked.positions.indices.map { k in
        sampler.sample(
          sampleStream(run.batch, run.masked.places[k]), index: run.masked.places[k].ordinal,
          excluding: model.task.disallowsCorrect ? run.masked.targets[k] : nil)
      }
    } else {
      let outcomes = run.generate(draws: { draws(run.batch, run.masked, $0) }, weight: share)
      tally.add(generated: outcomes, run.masked)
      samples = outcomes.map(\.sample)
    }
    tally.add(samples: samples, run.masked)
    return samples
  }

  /// The large encoder on `tokens`; returns the rewards of a generator that learns from them. (K)
  ///
  /// - Parameter share: what a token or masked position weighs; nil for no backward pass.
  private func learn(
    _ run: MicroBatchPass, _ tokens: [Int32], share: Float?, into tally: inout PretrainingTally
  ) -> [Double] {
    switch model.task.objective {
    case .electra, .electra15:
      let verdict = run.discriminate(
        tokens, weight: share, onlyDrawn: model.task.objective == .electra15)
      tally.add(verdict, of: tokens, originals: run.batch.tokens)
      guard model.task.scheme == .adversarial else { return [] }
      let rewards = run.rewards(verdict, tokens)
      tally.add(rewards: rewards)
      return rewards
    case .allTokensMLM:
      let outcome = run.restore(tokens, weight: share)
      tally.add(outcome.verdict, of: tokens, originals: run.batch.tokens)
      tally.add(outcome, run.masked)
    case .mlm, .replaceMLM:
      tally.add(predicted: run.predict(tokens, weight: share), run.masked)
    }
    return []
  }

  /// The random numbers of a sequence's samples.
  private func sampleStream(
    _ batch: Batch, _ place: (sequence: Int, ordinal: Int)
  ) -> RandomStream {
    RandomStream(
      seed: seed, site: sampleSite, step: batch.step,
      sequence: batch.firstSequence + place.sequence)
  }

  /// The uniform numbers of masked position `k`: its sequence's stream, the vocabulary's blocks of
  /// its ordinal.
  private func draws(_ batch: Batch, _ masked: Masking.Masked, _ k: Int) -> SampleDraws {
    let place = masked.places[k]
    let blocks = (model.sizes.vocabularySize + 31) / 32
    return .stream(sampleStream(batch, place), firstBlock: place.ordinal * blocks)
  }
}
