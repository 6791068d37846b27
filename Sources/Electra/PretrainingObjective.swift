import Layers
import Tensors

/// Replaced token detection as the paper trains it: the generator's masked language modelling loss
/// plus 50 times the discriminator's loss over all tokens (ELECTRA, section 2).
///
/// Both losses are means over the whole global batch: of masked positions, and of tokens, [CLS] and
/// [SEP] included. Their gradients are added as if slices were one.
package struct PretrainingObjective: Objective {
  package let model: ElectraModel
  package let masking: Masking
  /// The weight of the discriminator's loss.
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
    let generatorWeight = 1 / Float(max(1, totals[0]))
    let tokenWeight = discriminatorWeight / Float(max(1, totals[1]))
    var tally = PretrainingTally()
    let parts = slice.microBatches(tokenLimit: microBatchTokens)
    for (index, part) in parts.enumerated() {
      workspace.release(to: 0)
      let masked = masking.mask(part)
      let isLast = index == parts.count - 1
      let pass = Pass(
        batch: part, weights: weights, gradient: gradient, seed: seed, recomputes: recomputes,
        progress: VectorProgress(
          needs: progress.needs, finished: isLast ? progress.finished : { _ in }))
      let run = MicroBatchPass(model, part, masked, pass: pass, arena: workspace)
      progress.needs(model.embeddingRange)
      progress.needs(model.generatorRange)
      let outcomes = run.generate(
        draws: { draws(part, masked, $0) }, weight: generatorWeight)
      if isLast { progress.finished(model.generatorRange) }
      let tokens = run.corrupted(outcomes)
      let verdict = run.discriminate(tokens, weight: tokenWeight)
      tally.add(part, masked, outcomes, tokens, verdict)
    }
    progress.finished(model.embeddingRange)
    return tally.tally
  }

  package func evaluate(_ slice: Batch, weights: Storage, workspace: Arena) -> Tally {
    var tally = PretrainingTally()
    for part in slice.microBatches(tokenLimit: microBatchTokens) {
      workspace.release(to: 0)
      let masked = masking.mask(part)
      let pass = Pass(
        batch: part, weights: weights, gradient: nil, seed: nil, recomputes: recomputes)
      let run = MicroBatchPass(model, part, masked, pass: pass, arena: workspace)
      let outcomes = run.generate(draws: { draws(part, masked, $0) }, weight: nil)
      let tokens = run.corrupted(outcomes)
      tally.add(part, masked, outcomes, tokens, run.discriminate(tokens, weight: nil))
    }
    return tally.tally
  }

  package func metrics(of tally: Tally) -> [(name: String, value: Double)] {
    PretrainingTally(tally).metrics(discriminatorWeight: Double(discriminatorWeight))
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
