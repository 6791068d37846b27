import Electra
import Layers
import Tensors
import TestSupport
import Testing

/// The samples on which discriminators are compared, and their judge.
struct FixedSamplesTests {
  private static let positions = FixedSamples(
    special: PretrainingObjectiveTests.special, length: 20)
  private static let batch = PretrainingObjectiveTests.batch(
    lengths: (0..<24).map { 6 + $0 * 7 % 15 }, vocabulary: 37, step: 0)

  /// The sequences of a range, as a batch of their own.
  private static func part(_ sequences: Range<Int>) -> Batch {
    var part = Batch(firstSequence: sequences.lowerBound)
    for range in batch.ranges[sequences] {
      part.append(tokens: batch.tokens[range], segmentIDs: batch.segmentIDs[range])
    }
    return part
  }

  private static func objective(
    _ kind: PretrainingTask.Objective, microBatch: Int = 1000, temperature: Float = 1
  ) -> PretrainingObjective {
    var task = PretrainingTask()
    (task.objective, task.temperature) = (kind, temperature)
    return PretrainingObjectiveTests.objective(
      (10, 14, 6), vocabulary: 37, microBatch: microBatch, task: task)
  }

  private static func outputs(
    _ drawing: SampleDrawing, _ batch: Batch, _ weights: Storage
  ) -> [Float] {
    drawing.evaluate(
      batch, weights: Weights(weights), workspace: drawing.makeWorkspace(sequences: 24)
    ).outputs
  }

  /// The generator of ELECTRA, or the model of BERT, sees [MASK] at every position; temperature and
  /// sizes of slices change nothing.
  @Test(arguments: [PretrainingTask.Objective.electra, .mlm, .mlmRTD])
  func samplesDependOnTheSourceAlone(kind: PretrainingTask.Objective) throws {
    let objective = Self.objective(kind)
    let weights = randomWeights(objective.layout, scale: 0.5)
    let drawing = try #require(SampleDrawing(Self.positions, objective))
    let all = Self.outputs(drawing, Self.batch, weights)
    #expect(Self.positions.most == 3 && all.count == 24 * 3)
    let parts = [0..<5, 5..<24].flatMap { Self.outputs(drawing, Self.part($0), weights) }
    #expect(parts == all)
    let other = Self.objective(kind, microBatch: 30, temperature: 3)
    #expect(
      Self.outputs(try #require(SampleDrawing(Self.positions, other)), Self.batch, weights) == all)
    let masked = Self.positions.masked(Self.batch)
    #expect(!masked.positions.isEmpty)
    #expect(masked.positions.allSatisfy { masked.tokens[Int($0)] == 4 })
    #expect(Set(all).count > 10, "tokens of a random model")
  }

  /// A source without a network samples by counts; one without either is none.
  @Test
  func aSourceWithoutANetworkSamplesByCounts() throws {
    let counts = (0..<37).map { $0 == 7 || $0 == 9 ? 1 : 0 }
    let drawing = SampleDrawing(Self.positions, TokenSampler(counts: counts))
    let samples = Self.outputs(drawing, Self.batch, Storage(count: 0))
    let drawn = zip(Self.positions.masked(Self.batch).coordinates, samples.indices).map {
      samples[$0.0.sequence * 3 + $0.0.ordinal]
    }
    #expect(Set(drawn) == [7, 9])
    var task = PretrainingTask()
    task.generator = .uniform
    let other = PretrainingObjectiveTests.objective((10, 14, 6), vocabulary: 37, task: task)
    #expect(SampleDrawing(Self.positions, other) == nil)
  }

  /// The judge's metrics are those of the logits of the corrupted tokens.
  @Test
  func theJudgeSeesTheSamples() throws {
    let discriminator = StandaloneDiscriminator(
      Self.objective(.electra).model.sizes[.discriminator])
    let weights = randomWeights(discriminator.layout, scale: 0.5)
    let samples = (0..<72).map { Float(5 + $0 % 32) }
    let judge = SampleDetection(
      discriminator, Self.positions, samples: samples, longest: 20, arithmetic: .float32)
    let workspace = judge.makeWorkspace(sequences: 24)
    let tally = judge.evaluate(Self.batch, weights: Weights(weights), workspace: workspace)
    var corrupted = Self.batch
    let masked = Self.positions.masked(Self.batch)
    for (position, place) in zip(masked.positions, masked.coordinates) {
      corrupted.tokens[Int(position)] = Int32(samples[place.sequence * 3 + place.ordinal])
    }
    let logits = discriminator.detect(corrupted, weights: Weights(weights), arena: workspace)
    let replaced = logits.indices.filter { corrupted.tokens[$0] != Self.batch.tokens[$0] }
    #expect(tally.positiveScores == replaced.map { logits[$0] })
    let metrics = Dictionary(
      uniqueKeysWithValues: judge.metrics(of: tally).map { ($0.name.rawValue, $0.value) })
    let fraction = Double(replaced.count) / Double(logits.count)
    #expect(metrics["replaced_fraction"] == fraction)
    let kept = masked.positions.count - replaced.count
    #expect(metrics["sampled_accuracy"] == Double(kept) / Double(masked.positions.count))
    let loss = logits.indices.reduce(0.0) {
      let sign: Double = replaced.contains($1) ? -1 : 1
      return $0 + naturalLogarithm(1 + naturalExponential(sign * Double(logits[$1])))
    }
    let entropy =
      -fraction * naturalLogarithm(fraction)
      - (1 - fraction) * naturalLogarithm(1 - fraction)
    let mean = loss / Double(logits.count)
    #expect(abs((metrics["discriminator_loss"] ?? 0) - mean) < 1e-6)
    #expect(abs((metrics["discriminator_skill"] ?? 0) - (1 - mean / entropy)) < 1e-5)
  }
}
