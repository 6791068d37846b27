import Electra
import Layers
import Tensors
import TestSupport
import Testing
import Tokenization

/// The scores of sentences against one pass per sentence, or per masked token.
struct PairScorerTests {
  private static func objective(
    _ kind: PretrainingTask.Objective, microBatch: Int
  ) -> PretrainingObjective {
    var task = PretrainingTask()
    task.objective = kind
    return PretrainingObjectiveTests.objective(
      (10, 14, 6), vocabulary: 37, microBatch: microBatch, task: task)
  }

  /// Thirty pairs of sentences of unequal lengths.
  private static let pairs = PretrainingObjectiveTests.batch(
    lengths: (0..<60).map { 3 + $0 * 7 % 17 }, vocabulary: 37)

  /// A pass of one sequence, which predicts the token at `position`.
  private static func pass(
    _ objective: PretrainingObjective, _ tokens: [Int32], masking position: Int?,
    _ weights: Storage
  ) -> MicroBatchPass {
    var batch = Batch()
    batch.append(tokens: tokens, segmentIDs: repeatElement(0, count: tokens.count))
    var masked = Masking.Masked(tokens: tokens)
    if let position {
      masked.positions = [Int32(position)]
      masked.targets = [tokens[position]]
    }
    return MicroBatchPass(
      objective.model, batch, masked,
      pass: PassContext(batch: batch, weights: Weights(weights), gradient: nil, seed: nil),
      arena: objective.makeWorkspace(sequences: 1))
  }

  /// The score of one sentence by its definition.
  private static func score(
    _ objective: PretrainingObjective, _ tokens: [Int32], _ weights: Storage
  ) -> Double {
    (1..<tokens.count - 1).reduce(0.0) { (sum: Double, position: Int) -> Double in
      guard objective.model.task.objective == .mlm else {
        let logits = pass(objective, tokens, masking: nil, weights).discriminate(
          tokens, weight: nil
        ).logits
        return sum - naturalLogarithm(1 + naturalExponential(Double(logits[position])))
      }
      var input = tokens
      input[position] = PretrainingObjectiveTests.special.mask
      let outcomes = pass(objective, tokens, masking: position, weights)
        .predict(input, weight: nil)
      return sum - Double(outcomes[0].loss)
    }
  }

  private static func outcomes(
    _ objective: PretrainingObjective, _ weights: Storage
  ) -> [Float] {
    var slice = pairs
    slice.segmentIDs = slice.segmentIDs.map { _ in 0 }
    let scorer = PairScorer(objective)
    return scorer.evaluate(
      slice, weights: Weights(weights), workspace: scorer.makeWorkspace(sequences: 1)
    ).outputs
  }

  /// Micro-batches of one sequence, of some, and of all; the order of sums changes scores by 1e-6.
  @Test(
    arguments: [PretrainingTask.Objective.electra, .electra15, .allTokensMLM, .mlm], [1, 50, 1000])
  func theSentenceWithTheHigherScoreIsPreferred(
    kind: PretrainingTask.Objective, microBatch: Int
  ) {
    let objective = Self.objective(kind, microBatch: microBatch)
    let weights = randomWeights(objective.layout, scale: 0.5)
    #expect(PairScorer(objective).score == (kind == .mlm ? .pseudoLogLikelihood : .detection))
    let scores = Self.pairs.ranges.map {
      Self.score(objective, Array(Self.pairs.tokens[$0]), weights)
    }
    let outcomes = Self.outcomes(objective, weights)
    #expect(outcomes.count == 30 && outcomes.contains(0) && outcomes.contains(1))
    for (pair, outcome) in outcomes.enumerated() {
      let difference = scores[2 * pair] - scores[2 * pair + 1]
      #expect(abs(difference) > 1e-4, "a pair that does not decide")
      #expect(outcome == (difference > 0 ? 1 : 0), "pair \(pair): \(difference)")
    }
  }

  /// A head of zeros gives every token the probability one half, so equal lengths tie.
  @Test
  func equalScoresAreATie() throws {
    let objective = Self.objective(.electra, microBatch: 1000)
    let weights = randomWeights(objective.layout, scale: 0.5)
    for name in ["weight", "bias"] {
      let parameter = try #require(
        objective.layout["discriminator_predictions.dense_prediction.\(name)"])
      weights[parameter].fill(0)
    }
    let lengths = Self.pairs.lengths
    let wanted = stride(from: 0, to: lengths.count, by: 2).map { pair -> Float in
      // Each token adds log 1/2, so the shorter sentence has the higher score.
      lengths[pair] < lengths[pair + 1] ? 1 : lengths[pair] == lengths[pair + 1] ? 0.5 : 0
    }
    #expect(Self.outcomes(objective, weights) == wanted)
    var slice = Batch()
    for _ in 0..<2 { slice.append(tokens: [2, 7, 9, 3], segmentIDs: [0, 0, 0, 0]) }
    let scorer = PairScorer(objective)
    let tie = scorer.evaluate(
      slice, weights: Weights(weights), workspace: scorer.makeWorkspace(sequences: 1))
    #expect(tie.outputs == [0.5])
  }
}
