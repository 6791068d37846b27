import Layers
import Tensors

/// What a model's task makes of a batch. ELECTRA's is replaced token detection as the paper trains it:
/// the generator's masked language modelling loss plus 50 times the discriminator's loss over all
/// tokens (section 2).
///
/// Losses are means over the whole global batch: of masked positions, or of tokens, [CLS] and
/// [SEP] included. Their gradients are added as if slices were one.
package struct PretrainingObjective: Objective {
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
  package var finishingOrder: [Range<Int>] { model.finishingOrder }
  package var readingOrder: [Range<Int>] { model.readingOrder }

  /// Masked positions, and tokens.
  package func counts(of slice: Batch) -> [Int] {
    [masking.mask(slice).positions.count, slice.tokenCount]
  }

  package func makeWorkspace() -> Arena {
    var shape = BatchShape(tokens: microBatchTokens, longest: longest)
    shape.recomputes = recomputes
    return Arena(capacity: MicroBatchPass.capacity(model, shape))
  }

  package func accumulate(
    _ slice: Batch, totals: [Int], weights: Storage, gradient: Storage, workspace: Arena,
    progress: VectorProgress
  ) -> Tally {
    let shares = LossShares(
      generator: 1 / Float(max(1, totals[0])),
      encoder: discriminatorWeight
        / Float(max(1, model.task.goal.judgesAllTokens ? totals[1] : totals[0])))
    var tally = PretrainingTally()
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    for (index, part) in parts.enumerated() {
      workspace.release(to: 0)
      let isLast = index == parts.count - 1
      let finished = isLast ? progress.finished : { _ in }
      let pass = Pass(
        batch: part, weights: weights, gradient: gradient, seed: seed, recomputes: recomputes,
        progress: VectorProgress(needs: progress.needs, finished: finished))
      let run = MicroBatchPass(model, part, masking.mask(part), pass: pass, arena: workspace)
      progress.needs(model.embeddingRange)
      progress.needs(model.generatorRange)
      let tokens = generate(run, shares, into: &tally)
      finished(model.generatorRange)
      learn(run, tokens, shares, into: &tally)
    }
    progress.finished(model.embeddingRange)
    return tally.tally
  }

  package func evaluate(_ slice: Batch, weights: Storage, workspace: Arena) -> Tally {
    var tally = PretrainingTally()
    for part in slice.microBatches(tokenLimit: microBatchTokens) {
      workspace.release(to: 0)
      let pass = Pass(
        batch: part, weights: weights, gradient: nil, seed: nil, recomputes: recomputes)
      let run = MicroBatchPass(model, part, masking.mask(part), pass: pass, arena: workspace)
      learn(run, generate(run, nil, into: &tally), nil, into: &tally)
    }
    return tally.tally
  }

  package func metrics(of tally: Tally) -> [(name: String, value: Double)] {
    PretrainingTally(tally).metrics(model.task, weight: Double(discriminatorWeight))
  }

  /// What one masked position and one token weigh in the loss of the global batch.
  private struct LossShares {
    /// A masked position in the generator's loss.
    let generator: Float
    /// A token, or a masked position, in the large encoder's.
    let encoder: Float
  }

  /// What the large encoder reads: the batch with a generator's samples, or with [MASK].
  ///
  /// - Parameter shares: nil for no backward pass.
  private func generate(
    _ run: MicroBatchPass, _ shares: LossShares?, into tally: inout PretrainingTally
  ) -> [Int32] {
    guard model.task.goal.readsSamples else { return run.masked.tokens }
    let outcomes = run.generate(
      draws: { draws(run.batch, run.masked, $0) }, weight: shares?.generator)
    tally.add(generated: outcomes, run.masked)
    return run.corrupted(outcomes)
  }

  /// The large encoder on `tokens`.
  private func learn(
    _ run: MicroBatchPass, _ tokens: [Int32], _ shares: LossShares?,
    into tally: inout PretrainingTally
  ) {
    switch model.task.goal {
    case .electra, .electra15:
      let verdict = run.discriminate(
        tokens, weight: shares?.encoder, onlyDrawn: model.task.goal == .electra15)
      tally.add(verdict, of: tokens, originals: run.batch.tokens)
    case .allTokensMLM:
      let outcome = run.restore(tokens, weight: shares?.encoder)
      tally.add(outcome.verdict, of: tokens, originals: run.batch.tokens)
      tally.add(outcome, run.masked)
    case .mlm, .replaceMLM:
      let outcomes = run.predict(tokens, weight: shares?.encoder)
      tally.add(predicted: outcomes, run.masked)
    }
  }

  /// The uniform numbers of masked position `k`: its sequence's stream, the vocabulary's blocks of
  /// its ordinal.
  private func draws(_ batch: Batch, _ masked: Masking.Masked, _ k: Int) -> SampleDraws {
    let place = masked.places[k]
    let stream = RandomStream(
      seed: seed, site: sampleSite, step: batch.step,
      sequence: batch.firstSequence + place.sequence)
    let blocks = (model.sizes.vocabularySize + 31) / 32
    return .stream(stream, firstBlock: place.ordinal * blocks)
  }
}
