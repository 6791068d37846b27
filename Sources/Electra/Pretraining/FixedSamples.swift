import Layers
import Tensors
import Tokenization

// Detection of samples that do not depend on the judged model.
//
// Each generator makes a task of another difficulty for its own discriminator, so the held-out AUCs
// of two runs are not comparable. Here all discriminators judge the same tokens: positions and
// random numbers are functions of a constant and of the index of an example, and the samples are
// those of one source.
//
//     examples -> FixedSamples.masked -> SampleDrawing -> samples -> SampleDetection -> metrics

/// The positions of held-out examples that get samples, and the random numbers of the samples.
package struct FixedSamples: Sendable {
  /// The fraction of the tokens of an example that get samples.
  package static let fraction = 0.15
  /// The seed of positions and samples; with another one, older results are not comparable.
  private static let seed: UInt64 = 15

  private let masking: Masking
  private let special: SpecialTokens
  private let sampleSite = RandomStream.site("fixed sample")
  /// The most positions of an example.
  package let most: Int

  /// The positions of examples of at most `length` tokens.
  package init(special: SpecialTokens, length: Int) {
    self.special = special
    masking = Masking(
      fraction: Self.fraction, maximumLength: length, special: special, seed: Self.seed)
    most = Masking.count(length: length, fraction: Self.fraction, maximumLength: length)
  }

  /// The positions of a batch, all of which show [MASK].
  ///
  /// In training a part of them shows the original token, which a generator mostly repeats.
  package func masked(_ batch: Batch) -> Masking.Masked {
    var masked = masking.mask(batch)
    for position in masked.positions { masked.tokens[Int(position)] = special.mask }
    return masked
  }

  /// The random numbers of the samples of a sequence of a batch.
  func stream(_ batch: Batch, _ sequence: Int) -> RandomStream {
    RandomStream(
      seed: Self.seed, site: sampleSite, step: batch.step, sequence: batch.firstSequence + sequence)
  }

  /// The index of the sample at a position among those of all examples, which take `most` each.
  func index(_ batch: Batch, _ coordinates: (sequence: Int, ordinal: Int)) -> Int {
    (batch.firstSequence + coordinates.sequence) * most + coordinates.ordinal
  }
}

/// Draws the samples of `FixedSamples`: the outputs of a slice are `most` tokens for each sequence,
/// filled up with zeros.
///
/// A network's samples are drawn from its softmax at temperature 1, whatever its training used. The
/// original token may be drawn.
package struct SampleDrawing: Evaluable {
  private let positions: FixedSamples
  private let source: Source

  private enum Source {
    case frequencies(TokenSampler)
    /// A network of a model, which is that of the objective but for how it samples.
    case network(LanguageModel, ElectraModel, PretrainingObjective)
  }

  /// Samples by the frequencies of tokens; the weights are not read.
  package init(_ positions: FixedSamples, _ sampler: TokenSampler) {
    (self.positions, source) = (positions, .frequencies(sampler))
  }

  /// Samples from the generator of an objective's model, or else from its predictions of masked
  /// tokens; nil for a model without a head over the vocabulary.
  package init?(_ positions: FixedSamples, _ objective: PretrainingObjective) {
    var task = objective.model.task
    (task.temperature, task.disallowsCorrect, task.sampling) = (1, false, .inverse)
    let model = ElectraModel(objective.model.sizes, task)
    guard let network = model.generator ?? model.predictor else { return nil }
    self.positions = positions
    source = .network(network, model, objective)
  }

  package var arithmetic: Arithmetic {
    if case .network(_, _, let objective) = source { objective.arithmetic } else { .float32 }
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    if case .network(_, _, let objective) = source {
      return objective.makeWorkspace(sequences: sequences)
    }
    return Arena(capacity: 0)
  }

  package func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    var outputs = [Float](repeating: 0, count: slice.sequenceCount * positions.most)
    let first = slice.firstSequence * positions.most
    for part in slice.microBatches(tokenLimit: tokenLimit) {
      let masked = positions.masked(part)
      let samples = samples(part, masked, weights, workspace)
      for (coordinates, sample) in zip(masked.coordinates, samples) {
        // Exact: a Float has all integers up to 2^24.
        outputs[positions.index(part, coordinates) - first] = Float(sample)
      }
    }
    return Tally(outputs: outputs)
  }

  private var tokenLimit: Int {
    if case .network(_, _, let objective) = source { objective.microBatchTokens } else { .max }
  }

  /// The sample at each position. (K)
  private func samples(
    _ batch: Batch, _ masked: Masking.Masked, _ weights: Weights, _ arena: Arena
  ) -> [Int32] {
    let streams = (0..<batch.sequenceCount).map { positions.stream(batch, $0) }
    switch source {
    case .frequencies(let sampler):
      return masked.coordinates.map { sampler.sample(streams[$0.sequence], index: $0.ordinal) }
    case .network(let network, let model, _):
      if masked.positions.isEmpty { return [] }
      arena.release(to: 0)
      let context = PassContext(batch: batch, weights: weights, gradient: nil, seed: nil)
      let pass = MicroBatchPass(model, batch, masked, pass: context, arena: arena)
      let targets = PredictionTargets(
        positions: masked.positions, tokens: masked.targets,
        draws: {
          let (sequence, ordinal) = masked.coordinates[$0]
          return .inverse(streams[sequence].uniform(ordinal))
        })
      return pass.predict(masked.tokens, network, context, targets, weights: nil).map(\.sample)
    }
  }
}

/// Judges examples with the samples of `SampleDrawing` by a discriminator.
///
/// All tokens are judged, [CLS] and [SEP] included. A sample that equals the original token counts
/// as original, as in training.
package struct SampleDetection: Evaluable {
  private let discriminator: StandaloneDiscriminator
  private let positions: FixedSamples
  /// The samples of all examples, in the order of `FixedSamples.index`.
  private let samples: [Int32]
  /// The longest example.
  private let longest: Int
  package let arithmetic: Arithmetic
  /// The most tokens of a micro-batch, unless one example is longer.
  private static let tokenLimit = 4096

  /// A judge of examples of at most `longest` tokens with `samples`, the outputs of
  /// `SampleDrawing`.
  package init(
    _ discriminator: StandaloneDiscriminator, _ positions: FixedSamples, samples: [Float],
    longest: Int, arithmetic: Arithmetic
  ) {
    (self.discriminator, self.positions) = (discriminator, positions)
    (self.longest, self.arithmetic) = (longest, arithmetic)
    self.samples = samples.map { Int32($0) }
  }

  package func makeWorkspace(sequences: Int) -> Arena {
    let tokens = max(longest, min(Self.tokenLimit, sequences * longest))
    var shape = BatchShape(tokens: tokens, longest: longest)
    shape.arithmetic = arithmetic
    return Arena(capacity: discriminator.capacity(shape))
  }

  package func evaluate(_ slice: Batch, weights: Weights, workspace: Arena) -> Tally {
    var tally = PretrainingTally()
    for part in slice.microBatches(tokenLimit: Self.tokenLimit) {
      let masked = positions.masked(part)
      var judged = part
      let drawn = masked.coordinates.map { samples[positions.index(part, $0)] }
      for (position, sample) in zip(masked.positions, drawn) {
        judged.tokens[Int(position)] = sample
      }
      let logits = discriminator.detect(judged, weights: weights, arena: workspace)
      tally.add(samples: drawn, masked)
      tally.add(
        DiscriminatorOutcome(logits: logits, of: judged.tokens, originals: part.tokens),
        of: judged.tokens, originals: part.tokens)
    }
    return tally.tally
  }

  /// The fraction of samples that equal the original token, and the metrics of the discriminator.
  package func metrics(of tally: Tally) -> MetricValues { PretrainingTally(tally).judgement }
}
