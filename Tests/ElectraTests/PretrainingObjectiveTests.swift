import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Tokenization

struct PretrainingObjectiveTests {
  static let special = SpecialTokens(
    padding: 0, unknown: 1, classification: 2, separator: 3, mask: 4)

  /// Sequences of unequal lengths, beginning with [CLS] and ending with [SEP].
  static func batch(lengths: [Int], vocabulary: Int, step: Int = 5) -> Batch {
    var batch = Batch(step: step, firstSequence: 0)
    let stream = RandomStream(seed: 3, site: 4, step: step, sequence: 0)
    for (index, length) in lengths.enumerated() {
      let inner = (0..<length - 2).map {
        Int32(5 + stream.number(below: vocabulary - 5, index: 1000 * index + $0))
      }
      batch.append(
        tokens: [2] + inner + [3], segmentIDs: (0..<length).map { $0 > length / 2 ? 1 : 0 })
    }
    return batch
  }

  static func objective(
    _ widths: (embedding: Int, hidden: Int, generator: Int), vocabulary: Int,
    microBatch: Int = 1000, dropout: Float = 0.1, task: PretrainingTask = PretrainingTask()
  ) -> PretrainingObjective {
    func sizes(_ width: Int, _ layers: Int) -> EncoderSizes {
      EncoderSizes(
        hiddenSize: width, layerCount: layers, headCount: 2, intermediateSize: 2 * width + 1,
        dropoutRate: dropout, attentionDropoutRate: dropout)
    }
    let model = ElectraModel(
      ElectraSizes(
        vocabularySize: vocabulary, embeddingSize: widths.embedding, positionCount: 20,
        generator: sizes(widths.generator, widths.generator == widths.hidden ? 2 : 1),
        discriminator: sizes(widths.hidden, 2)), task)
    let masking = Masking(
      fraction: 0.15, maximumLength: 20, special: special,
      rules: .init(
        maskingRule: task.objective == .mlm ? .bert(vocabularySize: vocabulary) : .electra,
        drawsWithReplacement: task.drawsWithReplacement,
        replacedFraction: task.objective.masksAndReplaces ? 0.1 : 0), seed: 8)
    return PretrainingObjective(
      model: model, masking: masking, discriminatorWeight: task.objective.defaultWeight,
      microBatchTokens: microBatch, longest: 20, seed: 8)
  }

  /// Compares the gradient of the whole objective with central differences of the logged loss.
  ///
  /// Dropout, masks and samples are functions of the seed, so the loss is a function of the
  /// weights.
  static func expectTheGradientIsRight(_ objective: PretrainingObjective, _ batch: Batch) {
    let totals = objective.counts(of: batch)
    let workspace = objective.makeWorkspace(sequences: 64)
    let scratch = Storage(count: objective.layout.count)
    let results = compareGradients(
      of: objective.layout, weights: randomWeights(objective.layout, scale: 0.4), step: 5e-4
    ) { weights, gradient in
      let tally = objective.accumulate(
        batch, totals: totals, weights: Weights(weights), gradient: gradient ?? scratch,
        workspace: workspace, progress: ParameterProgress())
      return objective.metrics(of: tally)[0].value
    }
    for result in results { #expect(result.error < 1e-2, "\(result)") }
  }

  @Test(arguments: [(10, 14, 6), (12, 12, 12)])
  func theWholeGradientAgreesWithDifferences(embedding: Int, hidden: Int, generator: Int) {
    let objective = Self.objective(
      (embedding, hidden, generator), vocabulary: 37)
    let batch = Self.batch(lengths: [20, 9, 13], vocabulary: 37)
    Self.expectTheGradientIsRight(objective, batch)
  }

  @Test
  func countsAreWhatIsMasked() {
    let objective = Self.objective((8, 8, 4), vocabulary: 30)
    let batch = Self.batch(lengths: [20, 3, 11], vocabulary: 30)
    let masked = objective.masking.mask(batch)
    #expect(objective.counts(of: batch) == [masked.positions.count, 34])
  }

  /// Uniform predictions have losses of ln V and ln 2.
  @Test
  func anUntrainedModelLosesWhatChanceLoses() {
    let objective = Self.objective(
      (16, 32, 16), vocabulary: 3000, dropout: 0)
    let weights = Storage(count: objective.layout.count)
    objective.layout.initialize(weights, seed: 1)
    let batch = Self.batch(lengths: Array(repeating: 20, count: 30), vocabulary: 3000)
    let workspace = objective.makeWorkspace(sequences: 64)
    func metric(_ name: MetricName) -> Double {
      let tally = objective.evaluate(batch, weights: Weights(weights), workspace: workspace)
      return objective.metrics(of: tally).first { $0.name == name }?.value ?? .nan
    }
    #expect(abs(metric(.generatorLoss) - 8.0064) < 0.08)
    #expect((0.66...0.80).contains(metric(.discriminatorLoss)))
    let last = objective.layout["discriminator_predictions.dense_prediction.weight"]
    if let last { weights[last].fill(0) }
    #expect(abs(metric(.discriminatorLoss) - 0.6931471805599453) < 1e-12)
  }

  /// A model declares only the parameters of its task, and metrics are those of its networks.
  @Test
  func maskedLanguageModellingHasNoGeneratorAndNoDiscriminator() {
    var task = PretrainingTask()
    task.objective = .mlm
    let objective = Self.objective(
      (8, 12, 4), vocabulary: 3000, dropout: 0, task: task)
    #expect(objective.model.generator == nil && objective.model.discriminatorHead == nil)
    let names = objective.layout.parameters.map(\.name)
    #expect(
      names.allSatisfy { name in
        ["embeddings.", "discriminator.", "discriminator_mlm_predictions", "discriminator_lm_head"]
          .contains { name.hasPrefix($0) }
      })
    let weights = Storage(count: objective.layout.count)
    objective.layout.initialize(weights, seed: 1)
    let batch = Self.batch(lengths: Array(repeating: 20, count: 30), vocabulary: 3000)
    let metrics = objective.metrics(
      of: objective.evaluate(
        batch, weights: Weights(weights), workspace: objective.makeWorkspace(sequences: 64)))
    #expect(metrics.map(\.name) == [.loss, .mlmLoss, .mlmAccuracy])
    #expect(abs(metrics[0].value - 8.0064) < 0.08 && metrics[0].value == metrics[1].value)
  }

  /// The loss covers masked positions only.
  @Test
  func onlyDrawnPositionsCountWhereTheTaskSaysSo() {
    var task = PretrainingTask()
    task.objective = .electra15
    let objective = Self.objective(
      (8, 12, 6), vocabulary: 300, dropout: 0, task: task)
    let batch = Self.batch(lengths: [20, 18, 20], vocabulary: 300)
    let masked = objective.masking.mask(batch).positions.count
    let tally = objective.evaluate(
      batch, weights: Weights(randomWeights(objective.layout, scale: 0.3)),
      workspace: objective.makeWorkspace(sequences: 64))
    #expect(tally.positiveScores.count + tally.negativeScores.count == masked)
    let metrics = objective.metrics(of: tally)
    #expect(metrics.first { $0.name == .replacedFraction }.map { $0.value > 0.8 } == true)
  }

  /// The loss with a copy gate against its definition in Double.
  @Test(arguments: [Float(-30), -2, 0, 0.7, 25], [Float(0.01), 1.5, 12])
  func aGatedMixtureIsItsDefinition(gate: Float, loss: Float) {
    let r = 1 / (1 + naturalExponential(-Double(gate)))
    let s = naturalExponential(-Double(loss))
    for isOriginal in [true, false] {
      let p = (isOriginal ? 1 / (1 + naturalExponential(Double(gate))) : 0) + r * s
      let mixture = GatedMixture(gate: gate, loss: loss, isOriginal: isOriginal)
      #expect(abs(mixture.loss + naturalLogarithm(p)) < 1e-9 * max(1, mixture.loss))
      #expect(abs(mixture.replaced - r) < 1e-12 && abs(mixture.share - r * s / p) < 1e-9)
    }
  }

  /// The logits of 640 more tokens with a vocabulary of 30,000 would be 19 million floats.
  @Test
  func restoringTokensHoldsFewLogitsAtATime() {
    var task = PretrainingTask()
    task.objective = .allTokensMLM
    let model = Self.objective(
      (8, 12, 6), vocabulary: 30_000, task: task
    ).model
    let floats = [64, 704].map { tokens in
      MicroBatchPass.capacity(model, BatchShape(tokens: tokens, longest: 20), masked: 10)
    }
    #expect(floats[1] - floats[0] < 1_000_000)
  }

  @Test
  func microBatchesAddUpToTheWhole() {
    let batch = Self.batch(lengths: [20, 9, 13, 6], vocabulary: 37)
    let gradients = [1000, 22].map { limit in
      let objective = Self.objective(
        (10, 14, 6), vocabulary: 37, microBatch: limit)
      let gradient = Storage(count: objective.layout.count)
      _ = objective.accumulate(
        batch, totals: objective.counts(of: batch),
        weights: Weights(randomWeights(objective.layout, scale: 0.3)), gradient: gradient,
        workspace: objective.makeWorkspace(sequences: 64), progress: ParameterProgress())
      return gradient
    }
    let norm = sumOfSquares(gradients[0].base, count: gradients[0].count).squareRoot()
    for i in 0..<gradients[0].count {
      #expect(abs(gradients[0].base[i] - gradients[1].base[i]) < 1e-5 * Float(norm))
    }
  }
}
