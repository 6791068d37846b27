import Electra
import Finetuning
import Foundation
import Layers
import Tensors
import Testing

/// Regression targets are standardised, and the scale is merged into a written model's last layer.
struct TargetScaleTests {
  private func set(_ scores: [String]) throws -> ExampleSet {
    let columns = Columns(first: .named("text"), label: .named("label"))
    let task = Task.custom(.regression, .table(columns))
    return try read(task, .training, "text\tlabel\n" + scores.map { "a\t\($0)\n" }.joined())
  }

  @Test(arguments: [["1890", "1990"], ["0.0002", "0.0001", "0.0004"], ["-3e9", "1e9", "2"]])
  func learntScoresHaveMeanZeroAndDeviationOne(scores: [String]) throws {
    let set = try set(scores)
    let scale = try #require(TargetScale(set))
    let targets = set.examples.map { example -> Double in
      if case .score(let score) = scale.scaled(example.target) { Double(score) } else { .nan }
    }
    let count = Double(targets.count)
    #expect(abs(targets.reduce(0, +) / count) < 1e-6)
    #expect(abs(targets.reduce(0) { $0 + $1 * $1 } / count - 1) < 1e-6)
    for (text, value) in zip(scores, targets) {
      let score = try #require(Double(text))
      // Float32 has 24 bits.
      #expect(
        abs(Double(scale.score(Float(value))) - score) <= 3e-7 * scale.standardDeviation + 1e-7
          * abs(score))
    }
  }

  @Test
  func tasksWithAScaleOfTheirOwnKeepIt() throws {
    let set = try read(
      try .named("stsb"), .training, "sentence1\tsentence2\tscore\na\tb\t1\nc\td\t2\n")
    #expect(TargetScale(set) == nil)
    let labels = try read(try .named("sst2"), .training, "sentence\tlabel\na\t1\nb\t0\n")
    #expect(TargetScale(labels) == nil)
  }

  @Test(arguments: HeadStyle.allCases)
  func aWrittenModelAnswersWithScores(style: HeadStyle) throws {
    let sizes = NetworkSizes(
      vocabularySize: 31, embeddingSize: 10, positionCount: 16, typeCount: 2,
      encoder: EncoderSizes(hiddenSize: 14, layerCount: 2, headCount: 2, intermediateSize: 29))
    let model = TaskModel(sizes, .regression, outputs: 1, style: style)
    let weights = Storage(count: model.layout.count)
    model.layout.initialize(weights, seed: 5)
    let before = Array(UnsafeBufferPointer(start: weights.base, count: weights.count))
    var batch = Batch()
    for length in [3, 7, 12] {
      batch.append(
        tokens: (0..<length).map { Int32($0 * 5 % 31) },
        segmentIDs: Array(repeating: 0, count: length))
    }
    func answers() -> [Float] {
      let arena = Arena(capacity: model.capacity(BatchShape(tokens: 22, longest: 12)))
      return model.outputs(batch, weights: Weights(weights), arena: arena)
    }
    let scale = try #require(TargetScale(set(["1890", "1990", "1985"])))
    let standardized = answers()
    var written: [Float] = []
    model.withScores(of: scale, in: weights) { written = answers() }
    #expect(standardized.count == 3 && written.count == 3)
    for (output, score) in zip(standardized, written) {
      #expect(abs(scale.score(output) - score) < 1e-3, "\(output) \(score)")
    }
    let after = Array(UnsafeBufferPointer(start: weights.base, count: weights.count))
    #expect(
      before.map(\.bitPattern) == after.map(\.bitPattern), "training goes on with the same weights")
  }

  /// Predictions that are read back equal the predicted scores.
  @Test
  func scoresAreWrittenWithAllDigits() throws {
    let set = try set(["1", "2", "3", "4"])
    let scores: [Float] = [1990.3243, 0.000_249_89, -1e-12, 3.4e38]
    let lines = try set.files(of: .scores(scores))[0].text.split(separator: "\n").dropFirst()
    #expect(lines.compactMap { $0.split(separator: "\t").last.flatMap { Float($0) } } == scores)
  }
}
