import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

/// The losses of weighted classes and of several labels.
struct ClassLossTests {
  private static let sizes = NetworkSizes(
    vocabularySize: 31, embeddingSize: 10, positionCount: 16, typeCount: 2,
    encoder: {
      var sizes = EncoderSizes(hiddenSize: 14, layerCount: 1, headCount: 2, intermediateSize: 29)
      (sizes.dropoutRate, sizes.attentionDropoutRate) = (0, 0)
      return sizes
    }())

  /// Three sequences: examples 0, 1 and 2.
  private static let batch: Batch = {
    var batch = Batch()
    for example in 0..<3 {
      batch.append(
        tokens: (0..<5).map { Int32(7 * example + 3 * $0) }, segmentIDs: [0, 0, 0, 0, 0],
        example: example)
    }
    return batch
  }()

  private static let weights = [0.5, 2, 3.25]

  private static func objective(
    _ problem: Problem, _ targets: [Target], classWeights: [Double] = []
  ) -> FinetuningObjective {
    var objective = FinetuningObjective(
      model: TaskModel(sizes, problem, outputs: 3, style: .transformers), targets: targets,
      layerDecay: 0.8, microBatchTokens: 1000, longest: 5, seed: 8)
    objective.classWeights = classWeights
    return objective
  }

  private static let tags: [Target] = [
    .tags([-1, 2, 0, -1, 1]), .tags([-1, 1, -1, -1, 2]), .tags([-1, -1, -1, -1, -1]),
  ]
  private static let labels: [Target] = [.label(2), .label(0), .label(2)]

  /// The loss of the batch, and its outputs, with arbitrary weights.
  private func loss(_ objective: FinetuningObjective) -> (loss: Double, outputs: [Double]) {
    let weights = Weights(randomWeights(objective.layout, scale: 0.5))
    let workspace = objective.makeWorkspace(sequences: 8)
    let tally = objective.accumulate(
      Self.batch, totals: objective.counts(of: Self.batch), weights: weights,
      gradient: Storage(count: objective.layout.count), workspace: workspace,
      progress: ParameterProgress())
    let outputs = objective.evaluate(Self.batch, weights: weights, workspace: workspace).outputs
    return (objective.metrics(of: tally)[0].value, outputs.map(Double.init))
  }

  /// The cross-entropy of class `label` in row `row` of the outputs.
  private func crossEntropy(_ outputs: [Double], row: Int, label: Int) -> Double {
    let logits = outputs[3 * row..<3 * row + 3]
    return log(logits.reduce(0) { $0 + exp($1) }) - logits[3 * row + label]
  }

  /// PyTorch's `CrossEntropyLoss(weight)`: the sum of the weights divides, not the number.
  @Test
  func aWeightedLossIsAWeightedMean() {
    let labelled = loss(Self.objective(.classification, Self.labels, classWeights: Self.weights))
    let (w, classes) = (Self.weights, [2, 0, 2])
    let losses = classes.enumerated().map {
      w[$1] * crossEntropy(labelled.outputs, row: $0, label: $1)
    }
    let mean = losses.reduce(0, +) / (w[2] + w[0] + w[2])
    #expect(abs(labelled.loss - mean) < 1e-6)
    let tagged = loss(Self.objective(.tagging, Self.tags, classWeights: Self.weights))
    let words = [(1, 2), (2, 0), (4, 1), (6, 1), (9, 2)].map { row, tag in
      w[tag] * crossEntropy(tagged.outputs, row: row, label: tag)
    }
    let total = w[2] + w[0] + w[1] + w[1] + w[2]
    #expect(abs(tagged.loss - words.reduce(0, +) / total) < 1e-6)
  }

  /// PyTorch's `BCEWithLogitsLoss`: the mean over sequences and labels.
  @Test
  func severalLabelsHaveTheMeanOfTheirSigmoidLosses() {
    let sets = [[0, 2], [], [1]]
    let result = loss(Self.objective(.multilabel, sets.map(Target.labels)))
    let losses = result.outputs.enumerated().map { index, logit in
      log(1 + exp(sets[index / 3].contains(index % 3) ? -logit : logit))
    }
    #expect(abs(result.loss - losses.reduce(0, +) / 9) < 1e-6)
  }

  @Test(arguments: [Problem.classification, .tagging])
  func theGradientOfAWeightedLossAgreesWithDifferences(problem: Problem) {
    let objective = Self.objective(
      problem, problem == .tagging ? Self.tags : Self.labels, classWeights: Self.weights)
    let workspace = objective.makeWorkspace(sequences: 8)
    let scratch = Storage(count: objective.layout.count)
    let results = compareGradients(
      of: objective.layout, weights: randomWeights(objective.layout, scale: 0.4), step: 5e-4
    ) { weights, gradient in
      let tally = objective.accumulate(
        Self.batch, totals: objective.counts(of: Self.batch), weights: Weights(weights),
        gradient: gradient ?? scratch, workspace: workspace, progress: ParameterProgress())
      return objective.metrics(of: tally)[0].value
    }
    for result in results { #expect(result.error < 1e-2, "\(result)") }
  }

  @Test
  func weightsOfOneChangeNothing() {
    for (problem, targets) in [(Problem.classification, Self.labels), (.tagging, Self.tags)] {
      let equal = loss(Self.objective(problem, targets, classWeights: [1, 1, 1]))
      #expect(equal.loss == loss(Self.objective(problem, targets)).loss)
    }
  }

  /// A resumed start may write the same weights differently.
  @Test
  func equalWeightsAreSpelledEqually() {
    #expect(ClassWeights.normalized(["b=3", "a=2.0"]) == ["a=2.0", "b=3.0"])
    #expect(ClassWeights.normalized(["a=2", "b=3.00"]) == ["a=2.0", "b=3.0"])
    #expect(ClassWeights.normalized(["yes=0", "a=b=1", "x=y"]) == ["a=b=1.0", "x=y", "yes=0"])
    #expect(ClassWeights.normalized(["balanced"]) == ["balanced"])
  }

  /// Balanced weights are n / (C n_c), as scikit-learn's `compute_class_weight`.
  @Test
  func weightsAreReadFromWords() throws {
    let names = LabelSet(["no", "a=b", "yes"])
    func weights(_ words: [String]) throws -> [Double] {
      try ClassWeights.weights(words, labels: names, targets: Self.labels)
    }
    #expect(try weights(["yes=2.5", "a=b=0.5"]) == [1, 0.5, 2.5])
    #expect(try weights(["balanced"]) == [1, 1, 0.5])
    for (words, message) in [
      (["maybe=2"], "no class maybe; the classes are no, a=b, yes"),
      (["yes=0"], "between 0.000001"),
      (["yes=-1"], "between 0.000001"), (["yes=nan"], "between 0.000001"),
      (["yes=inf"], "between 0.000001"), (["yes="], "between 0.000001"),
      (["yes"], "neither balanced nor CLASS=WEIGHT"),
      (["yes=1", "yes=2"], "another weight already"),
      (["yes=1", "balanced"], "--class-weights balanced: it stands alone"),
    ] {
      let error = sentence { _ = try weights(words) }
      #expect(error.contains(message), "\(error)")
    }
  }
}
