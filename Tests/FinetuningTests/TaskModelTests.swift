import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

/// Every head on an encoder, tested through the objective: losses, gradients and outputs.
struct TaskModelTests {
  private static let sizes = NetworkSizes(
    vocabularySize: 31, embeddingSize: 10, positionCount: 16, typeCount: 2,
    encoder: EncoderSizes(hiddenSize: 14, layerCount: 2, headCount: 2, intermediateSize: 29))

  /// Four sequences of two segments: examples 3, 0, 2 and 1.
  private static let batch: Batch = {
    var batch = Batch(step: 5, firstSequence: 2)
    for (length, example) in zip([9, 4, 12, 6], [3, 0, 2, 1]) {
      let stream = RandomStream(seed: 3, site: 4, step: length, sequence: 0)
      batch.append(
        tokens: (0..<length).map { Int32(stream.number(below: 31, index: $0)) },
        segmentIDs: (0..<length).map { $0 >= length / 3 ? 1 : 0 }, example: example)
    }
    return batch
  }()

  /// The targets of examples 0 to 3, whose lengths are 4, 6, 12 and 9.
  private static func targets(_ problem: Problem) -> [Target] {
    switch problem {
    case .classification: [.label(2), .label(0), .label(1), .label(2)]
    case .multilabel: [.labels([0, 2]), .labels([]), .labels([1]), .labels([0, 1, 2])]
    case .regression: [.score(0.3), .score(-1), .score(0), .score(0.9)]
    case .tagging:
      [
        .tags([-1, 2, 0, -1]), .tags([-1, 1, -1, -1, 2, -1]),
        .tags([-1, 0, 0, 1, 1, 2, 2, -1, -1, 0, 1, -1]), .tags(Array(repeating: -1, count: 9)),
      ]
    case .span:
      [
        .span(start: 2, end: 3), .span(start: 0, end: 0), .span(start: 5, end: 5),
        .span(start: 4, end: 8),
      ]
    }
  }

  private static func objective(
    _ problem: Problem, _ style: HeadStyle, microBatch: Int = 1000
  ) -> FinetuningObjective {
    FinetuningObjective(
      model: TaskModel(
        sizes, problem, outputs: problem == .regression ? 1 : 3, style: style),
      targets: targets(problem), layerDecay: 0.8, microBatchTokens: microBatch, longest: 12,
      seed: 8)
  }

  private static let all = Problem.allCases.flatMap { problem in
    HeadStyle.allCases.map { (problem, $0) }
  }

  @Test(arguments: all)
  func theWholeGradientAgreesWithDifferences(problem: Problem, style: HeadStyle) {
    let objective = Self.objective(problem, style)
    let totals = objective.counts(of: Self.batch)
    let workspace = objective.makeWorkspace(sequences: 64)
    let scratch = Storage(count: objective.layout.count)
    let results = compareGradients(
      of: objective.layout, weights: randomWeights(objective.layout, scale: 0.4), step: 5e-4
    ) { weights, gradient in
      let tally = objective.accumulate(
        Self.batch, totals: totals, weights: Weights(weights), gradient: gradient ?? scratch,
        workspace: workspace, progress: ParameterProgress())
      return objective.metrics(of: tally)[0].value
    }
    for result in results { #expect(result.error < 1e-2, "\(result)") }
  }

  @Test(arguments: all)
  func rangesAreFinishedOnceAndAskedForAtAll(problem: Problem, style: HeadStyle) {
    let objective = Self.objective(problem, style, microBatch: 10)
    var (finished, needed): ([Range<Int>], Set<Int>) = ([], [])
    _ = objective.accumulate(
      Self.batch, totals: objective.counts(of: Self.batch),
      weights: Weights(randomWeights(objective.layout, scale: 0.1)),
      gradient: Storage(count: objective.layout.count),
      workspace: objective.makeWorkspace(sequences: 64),
      progress: ParameterProgress(
        willRead: { needed.formUnion($0) }, didFinish: { finished.append($0) }))
    let sorted = finished.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    #expect(sorted.first?.lowerBound == 0 && sorted.last?.upperBound == objective.layout.count)
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(needed == Set(0..<objective.layout.count))
    for order in [objective.gradientOrder, objective.weightOrder] {
      #expect(order.reduce(0) { $0 + $1.count } == objective.layout.count)
    }
  }

  @Test(arguments: all)
  func microBatchesAddUpToTheWhole(problem: Problem, style: HeadStyle) {
    let results = [1000, 13].map { limit in
      let objective = Self.objective(problem, style, microBatch: limit)
      let gradient = Storage(count: objective.layout.count)
      let weights = randomWeights(objective.layout, scale: 0.3)
      let tally = objective.accumulate(
        Self.batch, totals: objective.counts(of: Self.batch), weights: Weights(weights),
        gradient: gradient, workspace: objective.makeWorkspace(sequences: 64),
        progress: ParameterProgress())
      let outputs = objective.evaluate(
        Self.batch, weights: Weights(weights), workspace: objective.makeWorkspace(sequences: 64)
      ).outputs
      return (gradient: gradient, loss: objective.metrics(of: tally)[0].value, outputs: outputs)
    }
    let (whole, parts) = (results[0], results[1])
    let norm = sumOfSquares(whole.gradient.base, count: whole.gradient.count).squareRoot()
    for i in 0..<whole.gradient.count {
      #expect(abs(whole.gradient.base[i] - parts.gradient.base[i]) < 1e-5 * Float(norm))
    }
    #expect(abs(whole.loss - parts.loss) < 1e-5 * whole.loss)
    #expect(whole.outputs.count == parts.outputs.count)
    for (a, b) in zip(whole.outputs, parts.outputs) { #expect(abs(a - b) < 1e-4) }
  }

  @Test(arguments: all)
  func everySequenceHasItsAnswers(problem: Problem, style: HeadStyle) {
    let objective = Self.objective(problem, style)
    let weights = randomWeights(objective.layout, scale: 0.3)
    let workspace = objective.makeWorkspace(sequences: 64)
    let all = objective.evaluate(Self.batch, weights: Weights(weights), workspace: workspace)
      .outputs
    var start = 0
    for (range, length) in zip(Self.batch.ranges, Self.batch.lengths) {
      var alone = Batch()
      alone.append(tokens: Self.batch.tokens[range], segmentIDs: Self.batch.segmentIDs[range])
      let outputs = objective.evaluate(alone, weights: Weights(weights), workspace: workspace)
        .outputs
      #expect(outputs.count == objective.model.outputCount(tokens: length))
      for (a, b) in zip(outputs, all[start...]) { #expect(abs(a - b) < 1e-4) }
      start += outputs.count
    }
    #expect(start == all.count)
  }

  /// Depths in ELECTRA's `optimization.py`: embeddings and projection 0, layers 1 and 2, the head
  /// 4.
  @Test
  func ratesFallFromLayerToLayer() {
    let objective = Self.objective(.classification, .transformers)
    let factors = Dictionary(
      zip(objective.layout.parameters.map(\.name), objective.learningRateFactors)
    ) { first, _ in first }
    for (name, power) in [
      ("electra.embeddings.word_embeddings.weight", 4), ("electra.embeddings_project.bias", 4),
      ("electra.encoder.layer.0.output.dense.weight", 3),
      ("electra.encoder.layer.1.attention.self.query.bias", 2), ("classifier.out_proj.bias", 0),
    ] {
      let expected = (0..<power).reduce(1.0) { product, _ in product * 0.8 }
      #expect(factors[name] == Float(expected), "\(name)")
    }
  }

  /// The joint head's outputs: starts in the order of falling probability, probabilities that sum
  /// to 1, no token of the question.
  @Test
  func aBeamIsReadAsItWasWritten() throws {
    let objective = Self.objective(.span, .reference)
    let answers = objective.evaluate(
      Self.batch, weights: Weights(randomWeights(objective.layout, scale: 0.3)),
      workspace: objective.makeWorkspace(sequences: 64)
    ).outputs
    for (b, range) in Self.batch.ranges.enumerated() {
      let beam = SpanBeam(floats: answers[b * SpanBeam.floatCount..<(b + 1) * SpanBeam.floatCount])
      let allowed = (0..<range.count).filter { $0 == 0 || $0 >= range.count / 3 }
      #expect(Set(beam.starts.map(\.token)) == Set(allowed))
      let logProbabilities = beam.starts.map(\.logProbability)
      #expect(zip(logProbabilities, logProbabilities.dropFirst()).allSatisfy { $0 >= $1 })
      for start in beam.starts {
        #expect(Set(start.ends.map(\.token)) == Set(allowed))
        let sum = start.ends.reduce(0.0) { $0 + exp(Double($1.logProbability)) }
        #expect(abs(sum - 1) < 1e-5)
      }
      let sum = beam.starts.reduce(0.0) { $0 + exp(Double($1.logProbability)) }
      #expect(abs(sum - 1) < 1e-5)
    }
  }
}
